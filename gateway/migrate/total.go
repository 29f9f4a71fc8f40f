package migrate

import "context"

// Total counts the files of the source that [Run] looks at with the same options, by a listing
// of its own: for who wants to know how much is left before the run has seen it all. The files
// of the target, and what was deleted there, make no difference.
func Total(ctx context.Context, o Options) (Count, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMigration(o)
	from := m.source(ctx)
	var c Count
	for {
		obj, err := from.peek(ctx)
		if err != nil || obj == nil { // whether it is there at all is Run's to tell
			return c, err
		}
		p := pair{name: obj.Key[len(o.From.Prefix):], from: &obj.Object}
		if from.take(); m.looksAt(p) && !p.directory() {
			c.Files, c.Octets = c.Files+1, c.Octets+obj.Size
		}
	}
}
