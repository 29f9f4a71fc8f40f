package configs

import (
	"fmt"
	"net/netip"
	"regexp"
)

// nameRule is what a service wants of the names of its buckets.
type nameRule struct {
	least, most int // octets
	shape       *regexp.Regexp
	right       string
}

// nameRules are those of the services. S3's is that of its oldest buckets and of other
// servers, which take capitals and underscores too; an access point is named by an ARN, and
// on Ceph a colon follows a tenant.
// Sources: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html,
// cloud.google.com/storage/docs/buckets#naming and
// learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.
func nameRules() map[Kind]nameRule {
	return map[Kind]nameRule{
		S3: {3, 255, regexp.MustCompile(`^(([A-Za-z0-9_]+:)?[A-Za-z0-9][A-Za-z0-9._-]*|arn:[a-z0-9-]+:s3[a-z0-9-]*:.+)$`),
			"write 3 or more of a-z, 0-9, dots, hyphens and, for old buckets, A-Z and underscores; the first is a letter or digit"},
		GCS: {3, 222, regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*[a-z0-9]$`),
			"write 3 or more of a-z, 0-9, dots, hyphens and underscores; the first and last are letters or digits"},
		AzureBlob: {3, 63, regexp.MustCompile(`^(\$(root|web|logs)|[a-z0-9](-?[a-z0-9])*)$`),
			"write 3 to 63 of a-z, 0-9 and single hyphens; the first and last are letters or digits"},
	}
}

// bucketName reports a name that no bucket of the service has: the store would be opened,
// and only the first client would find out.
func (c *checker) bucketName(field string, s Store) {
	key := bucketKey(s.Kind)
	name := s.value(key)
	rule, ok := nameRules()[s.Kind]
	if !ok || name == "" {
		return
	}
	_, notAddress := netip.ParseAddr(name)
	if len(name) < rule.least || len(name) > rule.most || notAddress == nil || !rule.shape.MatchString(name) {
		c.wrong(field+"."+key, fmt.Sprintf("%q can be no %s", name, key), rule.right)
	}
}
