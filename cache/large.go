package cache

import "time"

// largeShare is the share of the memory that one directory may take, with the objects
// learned from it: 4 MiB of 64 MiB, some 7,500 names.
const largeShare = 16

// expire drops the pages that have expired. A store may give each page another token each
// time, so that nothing else would ever replace them.
func (d *directory) expire(now time.Time) {
	for k, p := range d.pages {
		if !now.Before(p.expires) {
			d.drop(k)
		}
	}
}

// admits tells whether a page may be kept beside those that are known, so that they and
// the objects learned from them take at most so many octets.
func (d *directory) admits(k pageKey, p *page, most int64, now time.Time) bool {
	if now.Before(d.large) {
		return false
	}
	n := p.learned()
	for other, p := range d.pages {
		if other != k {
			n += p.learned()
		}
	}
	return n <= most
}

// learned is what the cache charges for a page with the objects learned from it.
func (p *page) learned() int64 {
	n := p.size()
	for _, o := range p.Objects {
		n += (&object{Object: o}).size()
	}
	return n
}
