package controller

import (
	"testing"
	"time"
)

func TestBreather(t *testing.T) {
	begin := time.Unix(1e9, 0)
	var b breather
	if left := b.left(begin, breath); left != 0 {
		t.Errorf("the first pass waits %s", left)
	}
	for _, pass := range []struct{ took, want time.Duration }{
		{time.Millisecond, 3 * time.Millisecond},
		{50 * time.Millisecond, 3 * time.Millisecond}, // for once
		{50 * time.Millisecond, 150 * time.Millisecond},
		{time.Minute, 150 * time.Millisecond},
		{time.Minute, time.Second},
		{time.Millisecond, 3 * time.Millisecond},
	} {
		ended := begin.Add(pass.took)
		b.take(begin, ended, time.Second)
		if left := b.left(ended, breath); left != pass.want {
			t.Errorf("after a pass of %s the next one waits %s, want %s", pass.took, left, pass.want)
		}
		if left := b.left(ended.Add(pass.want), breath); left != 0 {
			t.Errorf("after the breather a pass waits %s", left)
		}
	}
}

// TestBreatherEndsWithTheWork: what was to wait long while much was to be done does
// not when it is done.
func TestBreatherEndsWithTheWork(t *testing.T) {
	begin := time.Unix(1e9, 0)
	ended := begin.Add(100 * time.Millisecond)
	var b breather
	b.take(begin, ended, time.Minute)
	if left := b.left(ended, busyBreath); left != time.Second {
		t.Errorf("while much is to be done, the next one waits %s, want 1s", left)
	}
	if left := b.left(ended.Add(200*time.Millisecond), breath); left != 100*time.Millisecond {
		t.Errorf("when it is done, the next one waits %s more, want 100ms", left)
	}
}
