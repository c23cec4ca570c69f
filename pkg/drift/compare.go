package drift

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// most is how many fields are named.
const most = 8

// Patch is what turns a live object back into what its chart makes of it, with
// the fields the chart says nothing of left alone; nil when there is nothing to do.
// A kind that typed knows is merged as Kubernetes merges it, another (nil) as JSON.
func Patch(chart, live, typed runtime.Object) ([]byte, types.PatchType, error) {
	want, err := json.Marshal(chart)
	if err != nil {
		return nil, "", err
	}
	have, err := json.Marshal(live)
	if err != nil {
		return nil, "", err
	}
	kind := types.MergePatchType
	var patch []byte
	if typed == nil {
		patch, err = jsonmergepatch.CreateThreeWayJSONMergePatch(want, want, have)
	} else {
		var meta strategicpatch.PatchMetaFromStruct
		if meta, err = strategicpatch.NewPatchMetaFromStruct(typed); err != nil {
			return nil, "", err
		}
		kind = types.StrategicMergePatchType
		patch, err = strategicpatch.CreateThreeWayMergePatch(want, want, have, meta, true)
	}
	if err != nil || string(patch) == "{}" {
		return nil, "", err
	}
	return patch, kind, nil
}

// Fields names the fields in which two states of an object differ, without what
// the API server keeps about every object and without status. A patch that changes
// none of them would be undone by whoever wrote it: by a default of the
// API server, or by admission.
func Fields(a, b *unstructured.Unstructured) []string {
	var out []string
	differ("", content(a), content(b), &out)
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("%d more", len(out)-most))
	}
	return out
}

// content is an object without what is not the chart's to say.
func content(u *unstructured.Unstructured) map[string]any {
	c := u.DeepCopy()
	delete(c.Object, "status")
	for _, field := range []string{"resourceVersion", "managedFields", "generation", "creationTimestamp", "uid", "selfLink"} {
		unstructured.RemoveNestedField(c.Object, "metadata", field)
	}
	return c.Object
}

func differ(path string, a, b any, out *[]string) {
	if reflect.DeepEqual(a, b) {
		return
	}
	am, aIs := a.(map[string]any)
	bm, bIs := b.(map[string]any)
	if aIs && bIs {
		keys := map[string]any{}
		maps.Copy(keys, am)
		maps.Copy(keys, bm)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			differ(join(path, key), am[key], bm[key], out)
		}
		return
	}
	al, aIs := a.([]any)
	bl, bIs := b.([]any)
	if aIs && bIs && len(al) == len(bl) {
		for i := range al {
			differ(fmt.Sprintf("%s[%s]", path, item(al[i], i)), al[i], bl[i], out)
		}
		return
	}
	*out = append(*out, path)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// item is what people call the item of a list: its name, or its place.
func item(value any, i int) string {
	if m, ok := value.(map[string]any); ok {
		if name, ok := m["name"].(string); ok {
			return name
		}
	}
	return fmt.Sprint(i)
}
