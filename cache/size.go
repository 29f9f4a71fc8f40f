package cache

import "causeway/backends"

// What entries cost beside their strings, in octets, measured with Go 1.26 on 64 bits and
// rounded up. An entry of the LRU is a list element of 112, a map slot of at most 96 when
// the map has just grown, and the value. Strings are counted once per entry although a
// page and the objects learned from it share them, so the estimate is on the safe side
// (TestAccountingCoversTheHeap).
const (
	entryMem     = 112 + 96
	objectMem    = 128
	directoryMem = 120
	pageMem      = 96 + 64
	parkedMem    = 96 + mapMem
	uploadMem    = 64
	firstPageMem = 400 // the map of pages, with room for eight
	mapMem       = 400 // a map of up to eight
	mapEntryMem  = 48
)

// size is what the cache charges for one key.
func (o *object) size() int64 {
	return entryMem + 40 + content(o.Object)
}

// size is what the cache charges for one prefix and its pages.
func (d *directory) size() int64 {
	n := entryMem + directoryMem + int64(len(d.prefix))
	if d.pages != nil {
		n += firstPageMem
	}
	return n + d.pageMem
}

func (p *page) size() int64 {
	n := int64(pageMem + len(p.Next))
	for _, o := range p.Objects {
		n += content(o)
	}
	for _, prefix := range p.Prefixes {
		n += 16 + int64(len(prefix))
	}
	return n
}

// size is what the cache charges for what is parked.
func (p *parked) size() int64 {
	n := int64(entryMem + parkedMem)
	for _, upload := range p.uploads {
		n += uploadMem + int64(len(upload.ID)+len(upload.Key))
	}
	for key := range p.changed {
		n += mapEntryMem + int64(len(key))
	}
	return n
}

// content is the memory of an object's description.
func content(o backends.Object) int64 {
	n := objectMem + len(o.Key) + len(o.ETag) + len(o.ContentType)
	if o.Metadata != nil {
		n += mapMem
	}
	for k, v := range o.Metadata {
		n += mapEntryMem + len(k) + len(v)
	}
	if o.Sums != nil {
		n += mapMem
	}
	for k, v := range o.Sums {
		n += mapEntryMem + len(k) + len(v)
	}
	return int64(n)
}
