package nulls3

import (
	"iter"
	"sort"
	"strconv"
	"strings"
	"time"
)

// namesPrefix begins the directories whose contents are made up: "names-1000000/" holds a
// million objects that nobody has put.
const namesPrefix = "names-"

// maxNames is the most that a made-up directory holds: as many as Name has digits for.
const maxNames = 10_000_000

// madeUp describes all objects of such a directory.
const (
	madeUpSize = 123456
	madeUpETag = "9e107d9d372bb6826bd81d3542a419d6"
)

// NamesDir is the prefix of a directory of n objects that are made up.
func NamesDir(n int) string { return namesPrefix + strconv.Itoa(n) + "/" }

// Name is the i-th name in such a directory, from 0. The names are in byte order, and as
// long as those that cameras give.
func Name(i int) string { return string(appendName(nil, i)) }

func appendName(dst []byte, i int) []byte {
	dst = append(dst, "IMG_20261122_"...)
	digits := strconv.Itoa(i)
	dst = append(dst, "0000000"[min(len(digits), 7):]...)
	dst = append(dst, digits...)
	return append(dst, ".jpg"...)
}

// synthetic tells which made-up directory a prefix is in, and how many objects it holds.
func synthetic(prefix string) (dir string, n int, ok bool) {
	rest, ok := strings.CutPrefix(prefix, namesPrefix)
	digits, _, slash := strings.Cut(rest, "/")
	n, err := strconv.Atoi(digits)
	if !ok || !slash || err != nil || n < 0 || n > maxNames {
		return "", 0, false
	}
	return NamesDir(n), n, true
}

// names yields the objects of a made-up directory from one key on.
func names(dir string, n int, from string) iter.Seq[Item] {
	modified := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	first := sort.Search(n, func(i int) bool { return dir+Name(i) >= from })
	return func(yield func(Item) bool) {
		key := []byte(dir)
		for i := first; i < n; i++ {
			key = appendName(key[:len(dir)], i)
			if !yield(Item{Key: string(key), Size: madeUpSize, ETag: madeUpETag, Modified: modified}) {
				return
			}
		}
	}
}
