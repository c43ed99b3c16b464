package main

import (
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rancher/wharfie/pkg/registries"
	"github.com/sirupsen/logrus"
)

// read lets wharfie read a text from a file, and look for images by it.
func (told *answer) read(asked question, hosts *hosts) error {
	logrus.SetLevel(logrus.ErrorLevel)
	file, err := os.CreateTemp("", "registries-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.WriteString(asked.Text); err != nil {
		return err
	}
	found, err := registries.GetPrivateRegistries(file.Name())
	if err != nil {
		return err
	}
	told.V2 = decoded(found.Registry)
	told.Asked = map[string][]request{}
	for _, image := range asked.Images {
		reference, err := name.ParseReference(image)
		if err != nil {
			return err
		}
		hosts.forget()
		// No host has the image, so all of them are asked.
		_, _ = found.Image(reference, remote.WithRetryPredicate(func(error) bool { return false }))
		told.Asked[image] = hosts.requests()
	}
	return nil
}

func decoded(from *registries.Registry) registry {
	into := registry{map[string]mirror{}, map[string]config{}, map[string]auth{}}
	for host, one := range from.Mirrors {
		into.Mirrors[host] = mirror(one)
	}
	for host, one := range from.Configs {
		into.Configs[host] = config{(*auth)(one.Auth), (*tls)(one.TLS)}
	}
	for host, one := range from.Auths {
		into.Auths[host] = auth(one)
	}
	return into
}
