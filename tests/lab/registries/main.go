// Read registries.yaml texts as k3s and RKE2 do: one JSON question a line, one JSON answer a line.
//
// rancher/wharfie reads the file for both. Its answer is what the text decodes to, and which hosts
// it asks for images. yaml.v3 stands beside it, since it resolves words otherwise.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	yaml3 "gopkg.in/yaml.v3"
)

type auth struct {
	Username      string `yaml:"username" json:"username,omitempty"`
	Password      string `yaml:"password" json:"password,omitempty"`
	Auth          string `yaml:"auth" json:"auth,omitempty"`
	IdentityToken string `yaml:"identity_token" json:"identity_token,omitempty"`
}

type tls struct {
	CAFile             string `yaml:"ca_file" json:"ca_file,omitempty"`
	CertFile           string `yaml:"cert_file" json:"cert_file,omitempty"`
	KeyFile            string `yaml:"key_file" json:"key_file,omitempty"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify" json:"insecure_skip_verify,omitempty"`
}

type mirror struct {
	Endpoints []string          `yaml:"endpoint" json:"endpoint,omitempty"`
	Rewrites  map[string]string `yaml:"rewrite" json:"rewrite,omitempty"`
}

type config struct {
	Auth *auth `yaml:"auth" json:"auth,omitempty"`
	TLS  *tls  `yaml:"tls" json:"tls,omitempty"`
}

type registry struct {
	Mirrors map[string]mirror `yaml:"mirrors" json:"mirrors,omitempty"`
	Configs map[string]config `yaml:"configs" json:"configs,omitempty"`
	Auths   map[string]auth   `yaml:"auths" json:"auths,omitempty"`
}

type question struct {
	Text   string   `json:"text"`
	Images []string `json:"images"`
}

type answer struct {
	V2     registry             `json:"v2"`
	V3     registry             `json:"v3"`
	Error2 string               `json:"error2,omitempty"`
	Error3 string               `json:"error3,omitempty"`
	Asked  map[string][]request `json:"asked"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	hosts, err := listen()
	if err != nil {
		panic(err)
	}
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		var told answer
		if err := json.Unmarshal(line, &asked); err != nil {
			told.Error2 = err.Error()
		} else {
			if err := told.read(asked, hosts); err != nil {
				told.Error2 = err.Error()
			}
			if err := yaml3.Unmarshal([]byte(asked.Text), &told.V3); err != nil {
				told.Error3 = err.Error()
			}
		}
		if err := out.Encode(told); err != nil {
			return
		}
	}
}
