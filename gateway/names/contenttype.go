// Package names tells what the names of files say: of which media type their content is, and
// whether patterns mean them. Whatever stores files by their names asks it: the gateway's
// sessions and "causeway migrate". It knows no store.
//
// Its central type is [Patterns].
package names

import (
	"path"
	"strings"
)

// ContentType is the media type of a file by its name's extension (IANA's registry). The
// table is our own: package mime's depends on the machine's files.
func ContentType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".avi":
		return "video/x-msvideo"
	case ".bmp":
		return "image/bmp"
	case ".csv":
		return "text/csv"
	case ".gif":
		return "image/gif"
	case ".gz", ".tgz":
		return "application/gzip"
	case ".htm", ".html":
		return "text/html"
	case ".jpeg", ".jpg":
		return "image/jpeg"
	case ".json":
		return "application/json"
	case ".mkv":
		return "video/matroska"
	case ".mp3":
		return "audio/mpeg"
	case ".mp4":
		return "video/mp4"
	case ".pdf":
		return "application/pdf"
	case ".png":
		return "image/png"
	case ".tif", ".tiff":
		return "image/tiff"
	case ".txt", ".log":
		return "text/plain"
	case ".webp":
		return "image/webp"
	case ".xml":
		return "application/xml"
	case ".zip":
		return "application/zip"
	}
	return "application/octet-stream"
}
