//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"testing"
)

// paid is what some work on files has asked of the store.
type paid struct {
	work  string
	files int
	moved int     // requests for a file that moves its octets, which no cache can save
	most  float64 // requests per file that are allowed with the cache

	with, without     requests // by operation
	withSum, wholeSum int
}

// saved is the share of the requests that move nothing which the cache has answered.
func (p paid) saved() float64 {
	asked := p.wholeSum - p.moved*p.files
	if asked <= 0 {
		return 0
	}
	return float64(p.wholeSum-p.withSum) / float64(asked)
}

func printPaid(w io.Writer, table []paid) {
	fmt.Fprintf(w, "\n%-28s%7s%10s%10s%10s%8s\n", "requests to the store", "files", "no cache", "cache", "per file", "hits")
	for _, p := range table {
		fmt.Fprintf(w, "%-28s%7d%10d%10d%10.3f%6.0f %%\n", p.work, p.files, p.wholeSum, p.withSum, float64(p.withSum)/float64(p.files), 100*p.saved())
		fmt.Fprintf(w, "    no cache: %s\n    cache:    %s\n", p.without, p.with)
	}
}

// caching are two gateways before one bucket, each behind a proxy that counts: with the
// cache as it is by default, and with none.
type caching struct {
	proxies  [2]*countingProxy
	gateways [2]*gateway
	table    []paid
}

func newCaching(t *testing.T) *caching {
	t.Helper()
	c := &caching{}
	for i := range c.proxies {
		c.proxies[i] = newCountingProxy(t, shared.servers.S3)
	}
	c.afresh(t)
	return c
}

// afresh gives each gateway a part of the bucket in which there is nothing. What is
// remembered outlives the work, however slow the machine is.
func (c *caching) afresh(t *testing.T) {
	t.Helper()
	for i, extra := range []string{"cache: {ttl: 1m}\n", "cache: {ttl: 0s}\n"} {
		a := account{name: user, store: proxied(c.proxies[i]), prefix: random(4) + "/"}
		c.gateways[i] = start(t, setup{plain4: true, extra: extra, accounts: []account{a}})
	}
	for _, p := range c.proxies {
		p.take() // the janitors' first look
	}
}

// both does the work by each gateway, and adds to the table what that has cost.
func (c *caching) both(t *testing.T, p paid, do func(t *testing.T, g *gateway)) {
	for i, name := range []string{"cache", "no cache"} {
		t.Run(p.work+"/"+name, func(t *testing.T) { do(t, c.gateways[i]) })
	}
	p.with, p.withSum = c.proxies[0].take()
	p.without, p.wholeSum = c.proxies[1].take()
	c.table = append(c.table, p)
	if got := float64(p.withSum) / float64(p.files); got > p.most {
		t.Errorf("%s: %.3f requests per file (%s), want at most %.3f", p.work, got, p.with, p.most)
	}
}
