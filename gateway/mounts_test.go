package gateway

import (
	"log/slog"
	"reflect"
	"testing"

	"causeway/auth"
	"causeway/backends"
	"causeway/configs"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// TestS12_MountsAreAsConfigured follows what is configured of uploads to the view.
func TestS12_MountsAreAsConfigured(t *testing.T) {
	for _, c := range []struct {
		user  configs.User
		mount configs.Mount
		want  vfs.Mount
	}{
		{want: vfs.Mount{RenameLimit: configs.DefaultRenameMax}},
		{
			user:  configs.User{Device: configs.Device{Incomplete: configs.Discard, CloseNotify: configs.CloseNotifyRequired, ALLO: configs.EnforceALLO}},
			mount: configs.Mount{Overwrite: configs.Refuse, Concurrent: configs.RefuseSecond, RenameMax: 7},
			want: vfs.Mount{
				Uploads:   ftp.Policy{Incomplete: ftp.DiscardIncomplete, CloseNotify: ftp.RequireCloseNotify, EnforceALLO: true},
				Overwrite: vfs.RefuseExisting, Concurrent: vfs.OneWriter, RenameLimit: 7,
			},
		},
		{
			user:  configs.User{Device: configs.Device{Incomplete: configs.Discard, CloseNotify: configs.CloseNotifyRequired, ALLO: configs.EnforceALLO}},
			mount: configs.Mount{Incomplete: configs.Publish, CloseNotify: configs.CloseNotifyIgnored, ALLO: configs.IgnoreALLO, Overwrite: configs.KeepBoth},
			want: vfs.Mount{
				Uploads:   ftp.Policy{Incomplete: ftp.PublishIncomplete, CloseNotify: ftp.IgnoreCloseNotify},
				Overwrite: vfs.KeepBoth, RenameLimit: configs.DefaultRenameMax,
			},
		},
	} {
		account := &auth.Account{Grants: []auth.Grant{{Uploads: uploadsOf(c.user, c.mount)}}}
		cfg := configs.Default()
		behinds := newBehinds(cfg, map[string]backends.Backend{"": nil}, quotas{}, slog.New(slog.DiscardHandler), nil)
		got, err := (&Gateway{ways: newIdentities(cfg, nil, nil, nil), behinds: behinds}).mounts(t.Context(), account)
		c.want.Store = behinds.over("", quotas{}.over("", nil))
		if err != nil || !reflect.DeepEqual(got, []vfs.Mount{c.want}) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, c.want)
		}
	}
}
