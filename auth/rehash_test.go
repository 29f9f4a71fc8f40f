package auth

import "testing"

// TestA8_DESIsNotMadeAnew: whatever was typed behind its eight characters is not proven.
func TestA8_DESIsNotMadeAnew(t *testing.T) {
	_, des, password := recorded(t)
	users := []User{user("old", cheap)}
	for i, hash := range des {
		users = append(users, user("des"+string(rune('a'+i)), hash))
	}
	u, err := New(users, nil, Hashes{DES: true})
	if err != nil || len(des) == 0 {
		t.Fatal(len(des), err)
	}
	var told []string
	u.OnOldHash = func(p Proof) { told = append(told, p.Name) }
	for _, user := range users {
		given := password
		if user.Name == "old" {
			given = "secret"
		}
		if _, err := u.Login(t.Context(), Attempt{Name: user.Name, Password: given}); err != nil {
			t.Errorf("%s: %v", user.Name, err)
		}
	}
	if len(told) != 1 || told[0] != "old" {
		t.Errorf("told of %v", told)
	}
}
