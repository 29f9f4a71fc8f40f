//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// partner is one of many with a directory of one bucket.
type partner struct {
	name, prefix string
	// canary is in each name and content that the partner alone knows.
	canary string
}

// partnerCount is how many there are.
const partnerCount = 200

// newPartners are numbered, so that many names and prefixes begin with another's, and some
// differ in case or in what follows alone.
func newPartners() []partner {
	names := []string{"P1", "P2", "p1-archive", "p1.old", "p1 b", "p1_", "Vault", "in", "home", "pé"}
	for n := 1; len(names) < partnerCount; n++ {
		names = append(names, "p"+strconv.Itoa(n))
	}
	partners := make([]partner, len(names))
	for i, name := range names {
		partners[i] = partner{name: name, prefix: "in/" + name + "/", canary: "cnry" + random(8)}
	}
	return partners
}

var canaries = regexp.MustCompile(`cnry[0-9a-f]{16}`)

// vault is what a partner has from the start, and does not touch.
func (p partner) vault() map[string]string {
	vault := p.prefix + "vault/"
	return map[string]string{
		vault + knownFile: "known " + p.canary, vault + prey: "target " + p.canary,
		vault + knownDir + "/" + p.canary + ".txt": p.canary, vault + preyDir + "/" + p.canary + ".txt": p.canary,
		vault + p.canary + ".txt": p.canary,
	}
}

// walkOf is how many commands all walkers together send, and from which seed.
func walkOf(t *testing.T, commands int) (int, uint64) {
	number := func(name string, otherwise uint64) uint64 {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	seed := number("CAUSEWAY_WALK_SEED", uint64(time.Now().UnixNano()))
	commands = int(number("CAUSEWAY_WALK", uint64(commands)))
	t.Logf("CAUSEWAY_WALK=%d CAUSEWAY_WALK_SEED=%d", commands, seed)
	return commands, seed
}

// TestS40_P3_P21_TwoHundredPartnersOfOneBucket has each of two hundred partners of a bucket try
// every verb with every trick of paths to see, touch or infer what another has. `make walk` has
// them send 100,000 commands.
func TestS40_P3_P21_TwoHundredPartnersOfOneBucket(t *testing.T) {
	t.Parallel()
	for kind, commands := range map[string]int{"s3": 10_000, "localdir": 10_000} {
		t.Run(kind, func(t *testing.T) {
			buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			b := buckets[slices.IndexFunc(buckets, func(b *namedBucket) bool { return b.kind == kind })]
			walkThrough(t, b, newPartners(), commands)
		})
	}
}

func walkThrough(t *testing.T, b *namedBucket, partners []partner, commands int) {
	commands, seed := walkOf(t, commands)
	s := setup{plain4: true, limits: ", sessions: 1000, login_timeout: 10m"}
	for _, p := range partners {
		s.accounts = append(s.accounts, account{name: p.name, store: b, prefix: p.prefix})
		for key, content := range p.vault() {
			if err := b.write(t.Context(), key, []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	links := plantLinks(t, b, partners)
	g := start(t, s)
	began := time.Now()
	verbs, sent := letWalk(t, g.address(false, false), partners, commands, seed)
	took := time.Since(began)
	if !t.Failed() {
		missing := slices.DeleteFunc(verbsOf(t, g, partners[0].name), func(verb string) bool { return verbs[verb] > 0 })
		if len(missing) > 0 {
			t.Errorf("nobody has tried %q", missing)
		}
	}
	objects := everythingIsWhoseItShouldBe(t, b, partners, links)
	t.Logf("%s: %d partners, %d commands of %d verbs in %v, %d objects at the end", b.kind, len(partners), sent, len(verbs), took.Round(time.Second), objects)
}

// plantLinks puts links to other directories where a store could take them for names, and
// returns their keys.
func plantLinks(t *testing.T, b *namedBucket, partners []partner) (links []string) {
	t.Helper()
	local, ok := b.bucket.(localBucket)
	if !ok {
		return nil
	}
	for i, p := range partners {
		next := partners[(i+1)%len(partners)]
		for link, target := range map[string]string{"link": "../" + next.name, "link-of-" + next.name: "../" + next.name, "root": "../.."} {
			if err := os.Symlink(target, filepath.Join(local.root, p.prefix, link)); err != nil {
				t.Fatal(err)
			}
			links = append(links, p.prefix+link)
		}
	}
	return links
}

// letWalk has all partners walk at a time, until they have sent so many commands.
func letWalk(t *testing.T, address string, partners []partner, commands int, seed uint64) (verbs map[string]int, sent int) {
	var mu sync.Mutex
	verbs = make(map[string]int)
	doors := make(chan struct{}, 4)
	all, ctx := errgroup.WithContext(t.Context())
	for i, p := range partners {
		all.Go(func() error {
			w := &walker{partner: p, doors: doors, all: partners, tricks: tricks(), verbs: make(map[string]int), rand: rand.New(rand.NewPCG(seed, uint64(i)))}
			for _, other := range partners {
				if other.name != p.name && (strings.HasPrefix(other.name, p.name) || strings.HasPrefix(p.name, other.name) || strings.EqualFold(other.name, p.name)) {
					w.siblings = append(w.siblings, other)
				}
			}
			err := w.walk(ctx, address, commands/len(partners))
			mu.Lock()
			defer mu.Unlock()
			sent += w.sent
			for verb, n := range w.verbs {
				verbs[verb] += n
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
	return verbs, sent
}

// walk sends at least so many commands.
func (w *walker) walk(ctx context.Context, address string, commands int) error {
	if err := w.enter(address); err != nil {
		return fmt.Errorf("%s: %w", w.partner.name, err)
	}
	defer w.raw.Close()
	for w.sent < commands && ctx.Err() == nil {
		s := w.next()
		answers, err := w.do(s)
		if err == nil {
			err = w.judge(s, answers)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.partner.name, err)
		}
	}
	// What a walker sees of its own it would see of another's: the judge is awake.
	if _, err := w.say([]string{"TYPE I", "STRU F", "REST 0", "RANG 1 0"}); err != nil {
		return err
	}
	own, err := w.move("RETR /vault/"+knownFile, "")
	if err == nil && !strings.Contains(own.data, w.partner.canary) {
		err = errors.New("its own vault is shut: " + own.String())
	}
	return errors.Join(err, w.leave())
}

// judge looks for what belongs to others in answers, and for twins that differ.
func (w *walker) judge(s step, answers []answer) error {
	for _, a := range answers {
		for _, found := range canaries.FindAllString(a.text+a.data, -1) {
			if found != w.partner.canary {
				return fmt.Errorf("sees what is another's:\n%s", a)
			}
		}
	}
	if !s.twins {
		return nil
	}
	one, two := answers[0], answers[1]
	neutral := strings.NewReplacer(knownFile, "NAME", absentFile, "NAME", knownDir, "NAME", absentDir, "NAME",
		strings.ToUpper(knownFile), "NAME", strings.ToUpper(absentFile), "NAME", strings.ToUpper(knownDir), "NAME", strings.ToUpper(absentDir), "NAME")
	if one.code != two.code || neutral.Replace(one.text) != neutral.Replace(two.text) || neutral.Replace(one.data) != neutral.Replace(two.data) {
		return fmt.Errorf("can tell what another has from what nobody has:\n%s\n%s", one, two)
	}
	return nil
}

// verbsOf are all verbs that the gateway has.
func verbsOf(t *testing.T, g *gateway, user string) []string {
	c := connect(t, g.address(false, false))
	c.login(user)
	var verbs []string
	for _, line := range c.do("HELP", "214").lines {
		if strings.HasPrefix(line, " ") {
			verbs = append(verbs, strings.Fields(line)...)
		}
	}
	if len(verbs) < 50 {
		t.Fatalf("HELP lists %q", verbs)
	}
	return verbs
}

// everythingIsWhoseItShouldBe reads all of the bucket: the vaults are as they were, and what
// is in a partner's directory is the partner's.
func everythingIsWhoseItShouldBe(t *testing.T, b *namedBucket, partners []partner, links []string) int {
	t.Helper()
	keys, err := b.keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return slices.Contains(links, key) })
	var mu sync.Mutex
	sums := make(map[string][32]byte)
	reading, ctx := errgroup.WithContext(t.Context())
	reading.SetLimit(8)
	for _, key := range keys {
		i := slices.IndexFunc(partners, func(p partner) bool { return strings.HasPrefix(key, p.prefix) })
		switch {
		case strings.HasPrefix(key, reserved) || key == "in/":
			continue
		case i < 0:
			t.Errorf("%q is in nobody's directory", key)
			continue
		case strings.HasSuffix(key, "/"):
			if in, inside := strings.CutPrefix(key, partners[i].prefix+"vault/"); inside && in != "" && in != knownDir+"/" && in != preyDir+"/" {
				t.Errorf("somebody has made %q", key)
			}
			continue
		}
		reading.Go(func() error {
			content, err := b.read(ctx, key)
			if err != nil {
				return fmt.Errorf("%q: %w", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			sums[key] = sha256.Sum256(content)
			found := canaries.FindAllString(key+" "+string(content), -1)
			if len(found) == 0 || slices.ContainsFunc(found, func(c string) bool { return c != partners[i].canary }) {
				t.Errorf("%q holds %q, which is not of %s", key, content, partners[i].name)
			}
			return nil
		})
	}
	if err := reading.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, p := range partners {
		for _, key := range slices.Sorted(maps.Keys(p.vault())) {
			if want := sha256.Sum256([]byte(p.vault()[key])); sums[key] != want {
				t.Errorf("%q of %s has changed", key, p.name)
			}
		}
	}
	return len(keys)
}
