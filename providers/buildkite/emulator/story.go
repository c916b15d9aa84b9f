package emulator

import (
	"crypto/sha256"
	"time"
)

const imagesPolicy = `- iss: https://agent.buildkite.com
  scopes:
    - read_packages
    - write_packages
  claims:
    organization_slug: acme-inc
    pipeline_slug:
      in: [images, release]
`

// seedStory fills the organizations by hand. Under a rotation policy of 90 days some tokens are overdue, one falls due
// two minutes after the start, some do so within days, and some are fresh.
func (e *emulator) seedStory() {
	acme, globex := e.organizations[0], e.organizations[1]
	platform, web := seedTeam("platform"), seedTeam("web")
	days := func(n int) time.Duration { return time.Duration(n)*day - 3*time.Hour }

	e.seedRegistry(acme, 0, &registry{
		about: about{name: "Images", description: text("Container images of everything that runs in production"),
			emoji: text(":docker:"), color: text("#0DB7ED"), oidcPolicy: text(imagesPolicy)},
		ecosystem: "container", teams: []string{platform, web},
	}, []seedToken{
		{"legacy build farm", days(420)},
		{"staging cluster", days(131)},
		{"production cluster, eu", 90*day - 2*time.Minute},
		{"production cluster, us", days(88)},
		{"ci-pull", days(40)},
		{"Ada's laptop", 5 * time.Hour},
	})
	e.seedRegistry(acme, 1, &registry{
		about: about{name: "Gems", description: text("Ruby gems we share"), emoji: text(":ruby:"), color: text("#CC342D"),
			oidcPolicy: text(`[{"iss":"https://token.actions.githubusercontent.com","scopes":["read_packages"]}]`)},
		ecosystem: "ruby", teams: []string{web},
	}, []seedToken{
		{"web app deploys", days(97)},
		{"nightly tests", days(85)},
		{"contractors – until summer", days(62)},
		{"ci-pull", days(9)},
	})
	e.seedRegistry(acme, 2, &registry{
		about:     about{name: "Python Internal", emoji: text(":python:")},
		ecosystem: "python", teams: []string{platform},
	}, []seedToken{
		{"notebooks", days(203)},
		{"model training", days(77)},
		{"ci-pull", days(1)},
	})
	e.seedRegistry(acme, 3, &registry{
		about:     about{name: "Open Source", description: text("JavaScript packages for everybody")},
		ecosystem: "npm", public: true,
	}, []seedToken{
		{"from before it was public", days(310)},
	})
	e.seedRegistry(acme, 4, &registry{
		about:     about{name: "Helm Charts", color: text("#F0CCFF")},
		ecosystem: "helm",
	}, nil)

	e.seedRegistry(globex, 5, &registry{
		about: about{name: "Maven Releases", description: text("Released jars"), emoji: text(":maven:"),
			color: text("#BADA55")},
		ecosystem: "java",
	}, []seedToken{
		{"build server", days(152)},
		{"partner: initech", days(84)},
		{"ci-pull", days(15)},
	})
	e.seedRegistry(globex, 6, &registry{
		about:     about{name: "Images", description: text("Edge devices pull these")},
		ecosystem: "container",
	}, []seedToken{
		{"devices, first generation", days(89)},
		{"devices, second generation", days(30)},
	})
	e.seedRegistry(globex, 7, &registry{
		about:     about{name: "Terraform Modules", emoji: text(":terraform:"), color: text("#7B42BC")},
		ecosystem: "terraform",
	}, []seedToken{
		{"infrastructure pipeline", 20 * time.Minute},
	})
}

func text(s string) *string { return &s }

func seedTeam(name string) string { return uuid(sha256.Sum256([]byte("team "+name)), 4) }
