package controller

import (
	"testing"
	"time"
)

func TestBreather(t *testing.T) {
	begin := time.Unix(1e9, 0)
	var b breather
	if left := b.left(begin); left != 0 {
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
		b.take(begin, ended, breath, time.Second)
		if left := b.left(ended); left != pass.want {
			t.Errorf("after a pass of %s the next one waits %s, want %s", pass.took, left, pass.want)
		}
		if left := b.left(ended.Add(pass.want)); left != 0 {
			t.Errorf("after the breather a pass waits %s", left)
		}
	}
}
