package watch_test

import (
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

func TestReferencesFollowWhatIsWantedAndNothingElse(t *testing.T) {
	w := start(t, 10)
	defer w.stop()
	namespaces(t, w.kube, "refs")
	refs := w.References()
	creds := tenancy.Reference{Namespace: "refs", Kind: v1alpha1.ReferenceSecret, Name: "creds"}
	conf := tenancy.Reference{Namespace: "refs", Kind: v1alpha1.ReferenceConfigMap, Name: "conf"}
	later := tenancy.Reference{Namespace: "refs-later", Kind: v1alpha1.ReferenceConfigMap, Name: "conf"}
	says := func(ref tenancy.Reference, key, text string, state tenancy.ReferenceState) {
		t.Helper()
		eventually(t, func() bool {
			data, got := refs.Lookup(ref, key)
			return got == state && string(data) == text
		}, fmt.Sprintf("%s has %q in %s, in state %d", ref, text, key, state))
	}
	config := func(namespace string, change func(*corev1.ConfigMap)) {
		t.Helper()
		cm, err := w.kube.CoreV1().ConfigMaps(namespace).Get(t.Context(), "conf", metav1.GetOptions{})
		if err == nil {
			change(cm)
			_, err = w.kube.CoreV1().ConfigMaps(namespace).Update(t.Context(), cm, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	baseline := runtime.NumGoroutine()

	if _, state := refs.Lookup(creds, "p"); state != tenancy.ReferenceUnknown {
		t.Errorf("state of what nobody follows = %d, want unknown", state)
	}
	refs.Sync([]tenancy.Reference{creds, conf, later, conf})
	refs.Sync([]tenancy.Reference{later, conf, creds})
	for _, ref := range []tenancy.Reference{creds, conf, later} {
		says(ref, "p", "", tenancy.ReferenceNoObject)
	}
	if n := refs.Following(); n != 3 {
		t.Errorf("%d objects are followed, want 3", n)
	}

	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"a": "1"}, BinaryData: map[string][]byte{"b": {0xff}}}
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other"}}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "creds"}, Data: map[string][]byte{"p": []byte("secret")}}
	for _, cm := range []*corev1.ConfigMap{cm, other} {
		if _, err := w.kube.CoreV1().ConfigMaps("refs").Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.kube.CoreV1().Secrets("refs").Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	says(conf, "a", "1", tenancy.ReferenceFound)
	says(conf, "b", "\xff", tenancy.ReferenceFound)
	says(conf, "c", "", tenancy.ReferenceNoKey)
	says(creds, "p", "secret", tenancy.ReferenceFound)
	namespaces(t, w.kube, "refs-later")
	if _, err := w.kube.CoreV1().ConfigMaps("refs-later").Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	says(later, "a", "1", tenancy.ReferenceFound)

	// Three informers told their first list and three objects came; whoever waits
	// for the version sees all of them.
	eventually(t, func() bool { return refs.Version() == 6 }, "the version counts what changed")
	calls := w.records.Load()
	config("refs", func(cm *corev1.ConfigMap) { cm.Labels = map[string]string{"a": "b"} })
	config("refs", func(cm *corev1.ConfigMap) { cm.Data["a"] = "2" })
	says(conf, "a", "2", tenancy.ReferenceFound)
	eventually(t, func() bool { return refs.Version() == 7 && w.records.Load() > calls }, "a value is told, a label is not")

	if err := w.kube.CoreV1().Secrets("refs").Delete(t.Context(), "creds", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	says(creds, "p", "", tenancy.ReferenceNoObject)
	eventually(t, func() bool { return refs.Version() == 8 }, "a deletion is told")

	refs.Sync([]tenancy.Reference{conf})
	eventually(t, func() bool { return refs.Following() == 1 }, "the others are not followed any more")
	says(later, "a", "", tenancy.ReferenceUnknown)
	says(conf, "a", "2", tenancy.ReferenceFound)
	refs.Sync(nil)
	eventually(t, func() bool { return refs.Following() == 0 && runtime.NumGoroutine() <= baseline+2 },
		"the goroutines of the informers are gone")
}
