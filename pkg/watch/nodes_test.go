package watch

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNodeThatTellsNothingNew(t *testing.T) {
	node := func(ready corev1.ConditionStatus, heartbeat int64) *corev1.Node {
		return &corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeReady, Status: ready, LastHeartbeatTime: metav1.Unix(heartbeat, 0)},
		}}}
	}
	told := 0
	handler := readiness(func() { told++ })
	for _, c := range []struct {
		before, after *corev1.Node
		want          int
	}{
		{node(corev1.ConditionTrue, 1), node(corev1.ConditionTrue, 2), 0},
		{node(corev1.ConditionTrue, 2), node(corev1.ConditionUnknown, 2), 1},
		{node(corev1.ConditionUnknown, 2), node(corev1.ConditionTrue, 3), 2},
	} {
		handler.OnUpdate(c.before, c.after)
		if told != c.want {
			t.Errorf("after %v to %v: told %d times, want %d", c.before.Status, c.after.Status, told, c.want)
		}
	}
}
