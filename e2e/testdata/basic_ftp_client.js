// One operation with Node's basic-ftp; the site comes from the environment.
"use strict"
const fs = require("fs")
const ftp = require("basic-ftp")

const secure = { plain: false, explicit: true, implicit: "implicit" }

const operations = {
    upload: (client, local, remote) => client.uploadFrom(local, remote),
    download: (client, remote, local) => client.downloadTo(local, remote),
    async list(client, dir) {
        for (const file of await client.list(dir)) {
            console.log(file.name)
        }
    },
    rename: (client, from, to) => client.rename(from, to),
    remove: (client, path) => client.remove(path),
    mkdir: (client, dir) => client.send("MKD " + dir),
    rmdir: (client, dir) => client.send("RMD " + dir),
}

async function main(operation, ...args) {
    const env = process.env
    const client = new ftp.Client(50000)
    try {
        await client.access({
            host: env.FTP_HOST,
            port: Number(env.FTP_PORT),
            user: env.FTP_USER,
            password: env.FTP_PASSWORD,
            secure: secure[env.FTP_TLS],
            secureOptions: { ca: fs.readFileSync(env.FTP_CA), host: env.FTP_HOST },
        })
        await operations[operation](client, ...args)
    } finally {
        client.close()
    }
}

main(...process.argv.slice(2)).catch(err => {
    console.error(err)
    process.exit(1)
})
