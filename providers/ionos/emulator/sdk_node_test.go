package emulator

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"regtok/providers"
)

// The vendor's SDK for Node.js, with the script in sdktest, is another client that knows nothing of us.
func TestTheVendorsSDKForNodeLeadsATokenThroughItsLife(t *testing.T) {
	installNodeSDK(t)
	c := serve(t, providers.EmulatorOptions{})
	settings := c.options.Settings(c.base)
	run := exec.CommandContext(t.Context(), "node", "check.js")
	run.Dir = "sdktest"
	// Nothing else of the environment: the SDK would take a proxy from there.
	run.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"BASE_URL=" + settings["base_url"].Reveal(),
		"TOKEN=" + settings["token"].Reveal(),
		"REGISTRY_ID=" + fixedID("registry", "lindenhof-lab"),
	}
	out, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "both lives went well") {
		t.Errorf("check.js: %v\n%s", err, out)
	}
}

// installNodeSDK installs what the lock file names, unless it is there.
func installNodeSDK(t *testing.T) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: install Node.js 20 or later with npm, on Debian with apt-get install nodejs npm", program)
		}
	}
	// npm writes this file last.
	_, err := os.Stat(filepath.Join("sdktest", "node_modules", ".package-lock.json"))
	if err == nil {
		return
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = "sdktest"
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in sdktest: %v\n%s", err, out)
	}
}
