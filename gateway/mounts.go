package gateway

import (
	"context"

	"causeway/auth"
	"causeway/configs"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// mounts turns what an account is granted into what it sees.
func (g *Gateway) mounts(ctx context.Context, account *auth.Account) ([]vfs.Mount, error) {
	if account.Told() {
		g.upkeep.login(account.Name, account.Grants)
	}
	mounts := make([]vfs.Mount, len(account.Grants))
	for i, grant := range account.Grants {
		store, err := g.ways.store(ctx, grant.Store, account)
		if err != nil {
			return nil, err
		}
		mounts[i] = vfs.Mount{
			Path:   grant.Path,
			Store:  g.behinds.over(grant.Store, g.quotas.over(grant.Store, store)),
			Ledger: g.quotas[grant.Store],
			Origin: g.stores[grant.Store],
			Prefix: grant.Prefix,
			Reads:  g.reads,
			Rights: viewRights(grant.Rights),
			Hide:   grant.Hide,
			Deny:   grant.Deny,

			FileLimit: account.Limits.FileSize,

			Uploads:     policyOf(grant.Uploads),
			Overwrite:   overwritings()[grant.Uploads.Overwrite],
			Concurrent:  concurrencies()[grant.Uploads.Concurrent],
			RenameLimit: grant.Uploads.RenameMax,
		}
	}
	return mounts, nil
}

// keep takes over all that is said of what there may be in the stores, for how long, and what
// is behind it, in the place of what was.
func (g *Gateway) keep(said []charge) {
	g.quotas.replace(said)
	g.retention.replace(g.behinds.replace(said))
}

// viewRights are the rights of a grant in the view's own bits.
func viewRights(granted auth.Right) vfs.Rights {
	bits := map[auth.Right]vfs.Rights{
		auth.List:      vfs.List,
		auth.Read:      vfs.Read,
		auth.Write:     vfs.Write,
		auth.Overwrite: vfs.Overwrite,
		auth.Delete:    vfs.Delete,
		auth.Rename:    vfs.Rename,
		auth.Mkdir:     vfs.Mkdir,
	}
	var rights vfs.Rights
	for right, bit := range bits {
		if granted&right != 0 {
			rights |= bit
		}
	}
	return rights
}

// policyOf is how the engine judges the uploads of a grant. Words that are not there, as
// in an anonymous account's grants, mean the default, which is the zero value throughout.
func policyOf(u auth.Uploads) ftp.Policy {
	return ftp.Policy{
		Incomplete:  incompletes()[u.Incomplete],
		CloseNotify: closeNotifies()[u.CloseNotify],
		EnforceALLO: u.ALLO == string(configs.EnforceALLO),
	}
}

func incompletes() map[string]ftp.Incomplete {
	return map[string]ftp.Incomplete{
		string(configs.Park):    ftp.ParkIncomplete,
		string(configs.Discard): ftp.DiscardIncomplete,
		string(configs.Publish): ftp.PublishIncomplete,
	}
}

func closeNotifies() map[string]ftp.CloseNotify {
	return map[string]ftp.CloseNotify{
		string(configs.CloseNotifyAuto):     ftp.AutoCloseNotify,
		string(configs.CloseNotifyRequired): ftp.RequireCloseNotify,
		string(configs.CloseNotifyIgnored):  ftp.IgnoreCloseNotify,
	}
}

func overwritings() map[string]vfs.Overwriting {
	return map[string]vfs.Overwriting{
		string(configs.Replace):  vfs.ReplaceExisting,
		string(configs.Refuse):   vfs.RefuseExisting,
		string(configs.KeepBoth): vfs.KeepBoth,
	}
}

func concurrencies() map[string]vfs.Concurrency {
	return map[string]vfs.Concurrency{
		string(configs.LastWins):     vfs.LastWins,
		string(configs.RefuseSecond): vfs.OneWriter,
	}
}
