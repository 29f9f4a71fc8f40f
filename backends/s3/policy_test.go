package s3

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestSessionPolicy(t *testing.T) {
	access := []Access{
		{Prefix: "in/acme/", Write: true},
		{Prefix: "out/acme/", List: true, Read: true},
		{Prefix: "team/acme/", List: true, Read: true, Write: true, Delete: true, Rename: true},
	}
	got, err := SessionPolicy("aws-cn", "drops", access)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	err = json.Compact(&want, []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws-cn:s3:::drops"],"Condition":{"StringLike":{"s3:prefix":[
			".causeway/uploads/in/acme/*",".causeway/uploads/team/acme/*","out/acme/*","team/acme/*"]}}},
		{"Effect":"Allow","Action":["s3:DeleteObject","s3:GetObject","s3:PutObject"],"Resource":[
			"arn:aws-cn:s3:::drops/.causeway/uploads/in/acme/*","arn:aws-cn:s3:::drops/.causeway/uploads/team/acme/*",
			"arn:aws-cn:s3:::drops/.causeway/renames/*"]},
		{"Effect":"Allow","Action":["s3:AbortMultipartUpload","s3:ListMultipartUploadParts","s3:PutObject"],
			"Resource":["arn:aws-cn:s3:::drops/in/acme/*"]},
		{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws-cn:s3:::drops/out/acme/*"]},
		{"Effect":"Allow","Action":["s3:AbortMultipartUpload","s3:DeleteObject","s3:GetObject","s3:ListMultipartUploadParts","s3:PutObject"],
			"Resource":["arn:aws-cn:s3:::drops/team/acme/*"]}]}`))
	if err != nil || got != want.String() {
		t.Errorf("got  %s\nwant %s, %v", got, want.String(), err)
	}
}

// TestSessionPolicyOfTheWholeBucket: a listing of all has no prefix that a condition could
// hold for.
func TestSessionPolicyOfTheWholeBucket(t *testing.T) {
	got, err := SessionPolicy("aws", "drops", []Access{{List: true, Read: true}})
	if err != nil || strings.Contains(got, "Condition") || !strings.Contains(got, `"arn:aws:s3:::drops/*"`) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestSessionPolicyTooLong(t *testing.T) {
	var access []Access
	for _, name := range strings.Split("abcdefghijkl", "") {
		access = append(access, Access{Prefix: strings.Repeat(name, 40) + "/", Write: true})
	}
	if _, err := SessionPolicy("aws", "drops", access); !errors.Is(err, ErrPolicy) {
		t.Error(err)
	}
	if _, err := SessionPolicy("aws", "drops", access[:4]); err != nil {
		t.Error(err)
	}
}
