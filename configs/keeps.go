package configs

import "fmt"

// keep is what is said of the keys with one prefix, and where it is said first.
type keep struct {
	field     string
	quota     Quota
	retention Retention
	behind    Behind
	mirror    bool
}

// keeps reports mounts of the same keys of which one says otherwise than another: their
// files are the same, and can be limited, grow too old, and come from elsewhere, in one way
// only.
func (c *checker) keeps(users []User) {
	type keys struct{ store, prefix string }
	said := map[keys]keep{}
	for i, u := range users {
		for j, m := range u.Mounts {
			field := fmt.Sprintf("users[%d].mounts[%d]", i, j)
			if u.Template != "" && !c.given(field) {
				field = fmt.Sprintf("users[%d].template", i)
			}
			at := keys{m.Store, m.Prefix}
			first, ok := said[at]
			if !ok {
				first = keep{field: field}
			}
			c.keptAlike(field, first, m)
			said[at] = first.with(m)
		}
	}
	for i, m := range anonymousMounts(c.cfg.Anonymous) {
		if first, ok := said[keys{m.Store, m.Prefix}]; ok {
			c.keptAlike(fmt.Sprintf("anonymous.mounts[%d]", i), first, m)
		}
	}
}

// keptAlike judges a mount of keys of which something has been said.
func (c *checker) keptAlike(field string, first keep, m Mount) {
	const once = "write the same at both, or one only"
	if m.Quota != (Quota{}) && first.quota != (Quota{}) && m.Quota != first.quota {
		c.wrong(field, "has another quota than "+first.field+", which has the same keys", once)
	}
	if m.Retention.Enabled() && first.retention.Enabled() && m.Retention != first.retention {
		c.wrong(field, "has another retention than "+first.field+", which has the same keys", once)
	}
	both := m.Behind.Enabled() && first.behind.Enabled()
	switch {
	case both && m.Behind != first.behind:
		c.wrong(field, "has something else behind than "+first.field+", which has the same keys", once)
	case both && m.MirrorWrites != first.mirror:
		c.wrong(field, "mirrors otherwise than "+first.field+", which has the same keys", once)
	case m.Behind.Enabled() && first.retention.Enabled():
		c.wrong(field, "has something behind, and "+first.field+", which has the same keys, a retention", removeOne)
	case m.Retention.Enabled() && first.behind.Enabled():
		c.wrong(field, "has a retention, and "+first.field+", which has the same keys, something behind", removeOne)
	}
}

// with is k with what a mount says, where k says nothing yet.
func (k keep) with(m Mount) keep {
	if k.quota == (Quota{}) {
		k.quota = m.Quota
	}
	if !k.retention.Enabled() {
		k.retention = m.Retention
	}
	if !k.behind.Enabled() {
		k.behind, k.mirror = m.Behind, m.MirrorWrites
	}
	return k
}
