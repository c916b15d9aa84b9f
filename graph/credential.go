package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

// container is both providers' word for what clients of Docker's kind pull from.
const container = "container"

type tokenCredentialResolver struct{ *resolver }

// DockerConfigJSON reads the registry, which alone knows its host. When that fails the secret stays.
func (r tokenCredentialResolver) DockerConfigJSON(ctx context.Context, c *model.TokenCredential) (*providers.Secret, error) {
	entry := loader.For(ctx).Registries(ctx, []providers.ID{c.Token.ID.OfRegistry()})[0]
	if entry.Err != nil {
		return nil, unlessGone(entry.Err)
	}
	if entry.Value.Ecosystem != container || entry.Value.Host == "" {
		return nil, nil
	}
	config := dockerConfig(entry.Value.Host, c.Token.Username, c.Secret)
	return &config, nil
}

// dockerConfig is a config.json that holds one login.
//
// Docker's own file has one entry a registry in "auths", whose "auth" is the base64 of "user:password"; Kubernetes
// takes the same document as a secret of the type kubernetes.io/dockerconfigjson, and `kubectl create secret
// docker-registry` writes "username" and "password" beside "auth", so both are here.
//
// A host at Buildkite has a path, packages.buildkite.com/organization/registry, as its manual gives it to `docker login`.
// Such a key is good for all: Kubernetes (https://kubernetes.io/docs/concepts/containers/images/#config-json) and the tools
// around podman (containers-auth.json(5)) compare paths from their beginning, so that logins to several registries of one
// host live side by side; Docker finds the key by the host in it, when there is only one.
func dockerConfig(host, username string, secret providers.Secret) providers.Secret {
	type login struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Auth     string `json:"auth"`
	}
	password := secret.Reveal()
	text, err := json.Marshal(map[string]map[string]login{"auths": {host: {
		Username: username, Password: password, Auth: base64.StdEncoding.EncodeToString([]byte(username + ":" + password)),
	}}})
	if err != nil {
		panic("graph: strings do not encode")
	}
	return providers.NewSecret(string(text))
}
