package s3

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// Identity is who asks the store: keys, or where Role is set a session of that.
type Identity struct {
	AccessKey, SecretKey string
	Role                 *Role
}

// Role is a role of the AWS Security Token Service that the store's own credentials take
// on (AWS STS API reference, AssumeRole). MinIO's service takes the same request.
type Role struct {
	ARN        string
	Endpoint   string // URL of the service; "" for the store's endpoint, or AWS's own in the store's region
	ExternalID string // "" for none
	Session    string // name in the service's records
	Access     []Access
}

const (
	// sessionTime is how long a session's credentials are good. It is what every role
	// allows, also one that is taken on by a role.
	sessionTime = time.Hour
	// sessionLeft is how long before their end they are replaced.
	sessionLeft = 5 * time.Minute
	// sessionAttempts is how often the service is asked.
	sessionAttempts = 3
)

// As is the same bucket for another who asks. It shares connections, bounds and the
// knowledge of what this process is writing with s, and no credentials; s, not it, is to be
// closed. It makes no request: a role is taken on by the first that is made.
func (s *Store) As(ctx context.Context, id Identity) (*Store, error) {
	o := s.base.Copy()
	if id.Role != nil {
		provider, err := s.session(*id.Role)
		if err != nil {
			return nil, err
		}
		o.Credentials = provider
	} else {
		o.Credentials = credentials.NewStaticCredentialsProvider(id.AccessKey, id.SecretKey, "")
	}
	as := &Store{wire: s.wire, bucket: s.bucket, aws: s.aws, budget: s.budget, limits: s.limits, least: s.least}
	as.journal = s.journal.Through(as)
	as.connect(ctx, o)
	return as, nil
}

// session gives a role's credentials, new ones before those end.
func (s *Store) session(r Role) (aws.CredentialsProvider, error) {
	policy, err := r.policy(s.bucket)
	if err != nil {
		return nil, err
	}
	o := sts.Options{
		Region: s.base.Region, Credentials: s.base.Credentials, HTTPClient: client(s.wire),
		RetryMaxAttempts: sessionAttempts, Logger: logging.Nop{},
	}
	if endpoint := cmp.Or(r.Endpoint, aws.ToString(s.base.BaseEndpoint)); endpoint != "" {
		o.BaseEndpoint = &endpoint
	}
	provider := stscreds.NewAssumeRoleProvider(sts.New(o), r.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.Duration, o.Policy = r.Session, sessionTime, &policy
		if r.ExternalID != "" {
			o.ExternalID = &r.ExternalID
		}
	})
	return aws.NewCredentialsCache(taking{provider}, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = sessionLeft }), nil
}

// JudgeRole is [ErrPolicy] if no session of a role can be cut to its access.
func JudgeRole(bucket string, r Role) error {
	_, err := r.policy(bucket)
	return err
}

func (r Role) policy(bucket string) (string, error) {
	if strings.HasPrefix(bucket, "arn:") { // whose objects have names of another form
		return "", fmt.Errorf("%w: %s is no bucket", ErrPolicy, bucket)
	}
	return SessionPolicy(partition(r.ARN), bucket, r.Access)
}

// partition is that of an ARN, "aws" unless it is another of AWS's own: servers that speak
// the protocol take any ARN for a role and know one partition.
func partition(arn string) string {
	if part := strings.Split(arn, ":"); len(part) > 1 && strings.HasPrefix(part[1], "aws-") {
		return part[1]
	}
	return "aws"
}

// taking takes on a role. What the service refuses is the operator's to mend, and must not
// be taken for a refusal of the store, which is the client's: its code is hidden.
type taking struct{ next aws.CredentialsProvider }

func (t taking) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ctx, cancel := bounded(ctx, quick)
	defer cancel()
	taken, err := t.next.Retrieve(ctx)
	if err != nil {
		return taken, fmt.Errorf("the role cannot be taken on: %v", err) //nolint:errorlint // see above
	}
	return taken, nil
}
