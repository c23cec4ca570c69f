package tenancy

import "encoding/json"

// maxInventory is how long the inventory of a release may be, in bytes; the
// annotations of an object may have 256 KiB together.
const maxInventory = 128 << 10

// inventoried is an object in an inventory.
type inventoried struct {
	Group     string `json:"g,omitempty"`
	Version   string `json:"v"`
	Resource  string `json:"r"`
	Kind      string `json:"k"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"n"`
	Mark      string `json:"m"`
	At        uint64 `json:"at"`
}

// Inventory writes down what a release holds, for an annotation. What is too long
// to be kept there is not: such a release is not watched for drift.
func Inventory(objects []Object) string {
	list := make([]inventoried, 0, len(objects))
	for _, o := range objects {
		list = append(list, inventoried(o))
	}
	text, err := json.Marshal(list)
	if err != nil || len(text) > maxInventory {
		return ""
	}
	return string(text)
}

// ReadInventory reads what Inventory wrote. What cannot be read is none.
func ReadInventory(text string) []Object {
	var list []inventoried
	if text == "" || json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	out := make([]Object, 0, len(list))
	for _, o := range list {
		out = append(out, Object(o))
	}
	return out
}

// TestReport writes down the outcome of a test, for an annotation.
func TestReport(t Test) string {
	if t.Request == "" {
		return ""
	}
	text, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	return string(text)
}

// ReadTestReport reads what TestReport wrote. What cannot be read is none.
func ReadTestReport(text string) Test {
	var t Test
	if text == "" || json.Unmarshal([]byte(text), &t) != nil {
		return Test{}
	}
	return t
}
