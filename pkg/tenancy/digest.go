package tenancy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// digestLength fits a label value, which may have 63 characters.
const digestLength = 40

// DigestOf tells desired states apart: it changes when the chart's content or
// any value does, and not when settings are merely written in another order
// or another notation. Values are compared as canonical JSON.
func DigestOf(chartDigest string, values map[string]any) (string, error) {
	if values == nil {
		values = map[string]any{}
	}
	canonical, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("digest values: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s", chartDigest, canonical)
	return hex.EncodeToString(h.Sum(nil))[:digestLength], nil
}

// ChartLabel is the digest of a chart as the value of a label.
func ChartLabel(digest string) string { return digest[:min(len(digest), digestLength)] }
