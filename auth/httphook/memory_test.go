package httphook

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/auth"
)

func TestOnlyAccountsAreRememberedAndNotForLong(t *testing.T) {
	var asked atomic.Int64
	h := serve(t, Config{Cache: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.ContentLength > 1000 {
			w.WriteHeader(401)
		}
		fmt.Fprint(w, `{"user": "acme", "values": {"home": "h"}}`)
	})
	ask := func(change func(*auth.Attempt), want int64) {
		t.Helper()
		a := attempt()
		change(&a)
		found, err := h.Find(t.Context(), a)
		if err == nil {
			if found.Values["home"] != "h" {
				t.Errorf("%+v", found)
			}
			found.Values["home"] = "changed by the caller"
		}
		if n := asked.Swap(0); n != want {
			t.Errorf("asked %d times, want %d", n, want)
		}
	}
	ask(func(*auth.Attempt) {}, 1)
	ask(func(*auth.Attempt) {}, 0)
	ask(func(a *auth.Attempt) { a.Password += "." }, 1)
	ask(func(a *auth.Attempt) { a.Remote = a.Remote.Next() }, 1)
	ask(func(a *auth.Attempt) { a.TLS = false }, 1)
	ask(func(a *auth.Attempt) { a.Name, a.Password = "acme\",\"password\":\"x", "" }, 1)
	for range 2 {
		ask(func(a *auth.Attempt) { a.Password = strings.Repeat("w", 2000) }, 1)
	}
	for at, e := range h.memory.recent {
		e.until = time.Now()
		h.memory.recent[at] = e
	}
	ask(func(*auth.Attempt) {}, 1)
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(time.Minute)
		for i := range 3 * maxRemembered {
			m.put(question{User: fmt.Sprint(i)}, &auth.Found{})
		}
		if n := len(m.recent) + len(m.old); n > 2*maxRemembered {
			t.Errorf("%d remembered", n)
		}
		last := question{User: fmt.Sprint(3*maxRemembered - 1)}
		if _, ok := m.get(last); !ok {
			t.Error("the last is forgotten")
		}
		if _, ok := m.get(question{User: "0"}); ok {
			t.Error("the first is remembered")
		}
		time.Sleep(time.Minute)
		if _, ok := m.get(last); ok {
			t.Error("remembered for too long")
		}
	})
}
