package actions_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/engine/sim/scenario"
)

const conformance = "testdata/conformance"

// peers says where the assertion of each of the original's own tests stands that is about definitions, activities, threads, actions, strategies,
// the mailbox or alarms: "file: scenario", or, where no scenario
// can say it, "file.go: test". A row whose file names an intended difference says so in a comment above the scenario.
var peers = []struct {
	test string
	at   []string
}{
	{"CaseActionTestCase.testCaseAction", []string{"actions: case"}},
	{"ClockActionTestCase.testClock", []string{"actions: clock"}},
	{"MemoryClockTestCase", []string{"actions: clock", "actions: five sleeps of a second"}},
	{"ComputeActionTestCase", []string{"actions: compute"}},
	{"ConcurrentActionTestCase.testConcurrent", []string{"services: three of one type beside each other"}},
	{"ConcurrentActionTestCase.testConcurrentWithTimeout", []string{"services: one of three is too slow"}},
	{"ConcurrentActionTestCase.testConcurrentDiff", []string{"services: services of two kinds"}},
	{"ContextVarActionTestCase.testDebug", []string{"actions: a loop of debug counts to five"}},
	{"ContextVarActionTestCase.testModify", []string{"actions: 100,000 changes of a variable"}},
	{"ContextVarActionTestCase.testDelete", []string{"actions: one variable is deleted, then all"}},
	{"ForeachActionTestCase.testForeach", []string{"actions: foreach over three items"}},
	{"ForeachActionTestCase.testForeachYamlList", []string{"actions: foreach over a list of the YAML"}},
	{"ReceiveActionTestCase.testCommonReceive", []string{"receive: a common receive"}},
	{"ReceiveActionTestCase.testTimeout", []string{"receive: the timeout of a receive"}},
	{"ReceiveActionTestCase.testReceiveWithWhile", []string{"receive: a receive in a loop"}},
	{"ReceiveActionTestCase.testReceiveWithForeach", []string{"receive: a funnel in order, with noise in between"}},
	{"SendActionTestCase.testParentAndChild", []string{"services: a parent and its child"}},
	{"ServiceActionTestCase.testMockService", []string{"services: a request and its answer"}},
	{"ServiceActionTestCase.testMockServiceWithTimeout", []string{"services: a timeout that grows, the late answer is not taken for the present one"}},
	{"ServiceActionTestCase.testNoAwait", []string{"services: await: no"}},
	{"ServiceActionTestCase.testBaseService", []string{"services: a request and its answer"}},
	{"SleepActionTestCase", []string{"actions: five sleeps of a second"}},
	{"ActivityThreadPoolTestCase.testScanAll", []string{"engine/scan_original_test.go: TestScanCountsAllThreads"}},
	{"ActivityThreadPoolTestCase.testScanAndStop", []string{"engine/scan_original_test.go: TestScanStopsAtFifty"}},
	{"ActivityThreadPoolTestCase.testRemoveAndScan", []string{"engine/scan_original_test.go: TestScanRemovesEvenIdsThenTheyAreTriggeredAgain"}},
	{"ActivityConfigTestCase.testModifyConfig", []string{"lifecycle: the config of an activity lies over that of its definition"}},
	{"MySQLActivityManagerTestCase", []string{"lifecycle: an activity is paused once, goes on, and is killed", "lifecycle: old threads of a paused activity go on where that is wanted"}},
	{"MySQLActivityDefinitionManagerTestCase", []string{"lifecycle: a running thread keeps its version, a new one gets the latest that is enabled"}},
	{"ActivityThreadRepairingTestCase", []string{"lifecycle: repair of an action that waits for nothing", "lifecycle: repair of an action that waits for an answer"}},
	{"PlaywellActivityThreadSchedulerTestCase.testCtrlMessage", []string{"lifecycle: pause and continue of a thread"}},
	{"PlaywellActivityThreadSchedulerTestCase.testRetry", []string{"lifecycle: retry of a receive that times out"}},
	{"MultiMessageDomainIdStrategyTestCase", []string{"receive: two strategies, one event for two activities"}},
	{"SimpleMessageTriggerTestCase", []string{"receive: a batch of five gives birth to one thread, and the rest is its mail"}},
}

// TestConformance runs the folder, undisturbed and with crashes, and checks that the table and the folder name the same scenarios.
func TestConformance(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(conformance, "*_test.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("expected scenario files in %s: %v", conformance, err)
	}
	var there []string
	for _, path := range files {
		f, problems, err := scenario.Load(path)
		if err != nil || f == nil {
			t.Fatalf("%s can not be read: %v %v", path, err, problems)
		}
		for _, name := range f.Names() {
			there = append(there, f.Name+": "+name)
		}
		t.Run(f.Name, func(t *testing.T) {
			for _, wrong := range scenario.Verify(path) {
				t.Error(wrong)
			}
		})
	}
	var named []string
	for _, p := range peers {
		for _, at := range p.at {
			if file, test, _ := strings.Cut(at, ": "); strings.HasSuffix(file, ".go") {
				text, err := os.ReadFile(filepath.Join("..", file))
				if err != nil || !strings.Contains(string(text), "\nfunc "+test+"(t *testing.T)") {
					t.Errorf("%s: expected the test %s in %s: %v", p.test, test, file, err)
				}
				continue
			}
			if !slices.Contains(there, at) {
				t.Errorf("%s: expected a scenario %q in %s", p.test, at, conformance)
			}
			named = append(named, at)
		}
	}
	for _, at := range there {
		if !slices.Contains(named, at) {
			t.Errorf("the scenario %q stands for no test of the original: add it to the table", at)
		}
	}
}

// TestDifferencesAreNamed checks that what differs on purpose is said where it is asserted.
func TestDifferencesAreNamed(t *testing.T) {
	for file, n := range map[string]int{"services_test.yaml": 1, "lifecycle_test.yaml": 3} {
		text, err := os.ReadFile(filepath.Join(conformance, file))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), "# An intended difference:"); got != n {
			t.Errorf("%s names %d intended differences, expected %d", file, got, n)
		}
	}
}
