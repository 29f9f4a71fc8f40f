package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"causeway/backends"
)

// Access is what somebody may do with the keys that begin with Prefix.
type Access struct {
	Prefix string // "" or ending in "/"
	List   bool   // learn names
	Read   bool   // contents, and what is known of one object: S3 has no action for less
	Write  bool   // new objects, and their parking
	Delete bool
	Rename bool // directories, which are written down at the bucket's root
}

// maxPolicy is how many characters a session's policy may have (AWS STS API reference,
// AssumeRole, Policy).
const maxPolicy = 2048

// ErrPolicy is access that no policy of a session can say.
var ErrPolicy = errors.New("no policy of a session can say this")

// Where the gateway's own objects are, apart from those of the mounts. The first goes on
// with the key that the object is about.
const (
	records  = backends.Reserved + "/uploads/"
	journals = backends.Reserved + "/renames/"
)

// statement is one of a policy (IAM user guide, "JSON policy elements").
type statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// SessionPolicy is the least with which the gateway does in the bucket what access says.
// [ErrPolicy] if it is too long for a session, or a prefix has a character in it that means
// something in policies.
func SessionPolicy(partition, bucket string, access []Access) (string, error) {
	statements, err := statementsOf("arn:"+partition+":s3:::"+bucket, access)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements})
	if err == nil && len(text) > maxPolicy {
		err = fmt.Errorf("%w: it has %d characters of %d for these prefixes", ErrPolicy, len(text), maxPolicy)
	}
	return string(text), err
}

func statementsOf(bucket string, access []Access) ([]statement, error) {
	var listed []string
	resources := map[string][]string{} // by the actions, with blanks between
	allow := func(key string, actions ...string) {
		if len(actions) == 0 {
			return
		}
		all := strings.Join(actions, " ")
		if resource := bucket + "/" + key; !slices.Contains(resources[all], resource) {
			resources[all] = append(resources[all], resource)
		}
	}
	for _, a := range access {
		if strings.ContainsAny(a.Prefix, "*?$") {
			return nil, fmt.Errorf("%w: in the prefix %q one of * ? $ would stand for more than itself", ErrPolicy, a.Prefix)
		}
		if a.List {
			listed = append(listed, a.Prefix)
		}
		allow(a.Prefix+"*", a.actions()...)
		if a.Write {
			listed = append(listed, records+a.Prefix)
			allow(records+a.Prefix+"*", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
		}
		if a.Rename {
			allow(journals+"*", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
		}
	}
	return append(listing(bucket, listed), objects(resources)...), nil
}

// actions are those on the objects themselves, in order.
func (a Access) actions() []string {
	var actions []string
	if a.Write {
		actions = append(actions, "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")
	}
	if a.Read {
		actions = append(actions, "s3:GetObject")
	}
	if a.Delete {
		actions = append(actions, "s3:DeleteObject")
	}
	slices.Sort(actions)
	return actions
}

// listing allows to list what begins with the prefixes.
func listing(bucket string, prefixes []string) []statement {
	if len(prefixes) == 0 {
		return nil
	}
	s := statement{Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: []string{bucket}}
	if !slices.Contains(prefixes, "") { // a listing of all has no prefix to be judged by
		var patterns []string
		for _, prefix := range prefixes {
			patterns = append(patterns, prefix+"*")
		}
		slices.Sort(patterns)
		s.Condition = map[string]map[string][]string{"StringLike": {"s3:prefix": slices.Compact(patterns)}}
	}
	return []statement{s}
}

func objects(resources map[string][]string) []statement {
	var all []statement
	for actions, of := range resources {
		all = append(all, statement{Effect: "Allow", Action: strings.Fields(actions), Resource: of})
	}
	slices.SortFunc(all, func(a, b statement) int { return slices.Compare(a.Resource, b.Resource) })
	return all
}
