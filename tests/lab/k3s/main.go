// A stand-in for k3s and RKE2: it reads their flags, config files and registries.yaml, generates
// config.toml and certs.d by their rules, and runs containerd as its child.
//
// Like k3s it runs under the name k3s-server or k3s-agent, and tells systemd when it is ready.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	yaml "gopkg.in/yaml.v2"
)

func main() {
	program := strings.SplitN(filepath.Base(os.Args[0]), "-", 2)[0]
	if len(os.Args) < 2 || (os.Args[1] != "server" && os.Args[1] != "agent") {
		fatal(fmt.Errorf("usage: %s server|agent [FLAG...]", program))
	}
	set := settings(program, os.Args[2:])
	if filepath.Base(os.Args[0]) == program && program == "k3s" {
		unpack(set, program+"-"+os.Args[1])
	}
	base := filepath.Join(set["data-dir"], "agent/etc/containerd")
	if err := generate(program, set, base); err != nil {
		fatal(err)
	}
	run(base)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "fatal:", err)
	os.Exit(1)
}

// unpack puts a link to this program below the data folder and runs it there, as k3s does.
func unpack(set map[string]string, name string) {
	folder := filepath.Join(set["data-dir"], "data/current/bin")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		fatal(err)
	}
	link := filepath.Join(folder, name)
	os.Remove(link)
	if err := os.Symlink(own, link); err != nil {
		fatal(err)
	}
	os.Args[0] = link
	fatal(syscall.Exec(link, os.Args, os.Environ()))
}

var aliases = map[string]string{"d": "data-dir", "c": "config"}

var switches = map[string]bool{"disable-default-registry-endpoint": true, "docker": true}

// settings merges the config file, its drop-ins and the flags; the flags win.
func settings(program string, words []string) map[string]string {
	flags := parse(words)
	config := "/etc/rancher/" + program + "/config.yaml"
	if flags["config"] != "" {
		config = flags["config"]
	}
	if named := os.Getenv(strings.ToUpper(program) + "_CONFIG_FILE"); named != "" {
		config = named
	}
	set := map[string]string{
		"data-dir":         "/var/lib/rancher/" + program,
		"private-registry": "/etc/rancher/" + program + "/registries.yaml",
	}
	files, _ := filepath.Glob(config + ".d/*")
	sort.Strings(files)
	for _, file := range append([]string{config}, files...) {
		kind := strings.ToLower(filepath.Ext(file))
		if file != config && kind != ".yaml" && kind != ".yml" {
			continue
		}
		text, err := os.ReadFile(file)
		data := map[string]interface{}{}
		if err == nil {
			err = yaml.Unmarshal(text, &data)
		}
		if err != nil && !os.IsNotExist(err) {
			fatal(err)
		}
		for key, value := range data {
			set[full(key)] = fmt.Sprint(value)
		}
	}
	for key, value := range flags {
		set[key] = value
	}
	return set
}

func full(key string) string {
	if long, ok := aliases[key]; ok {
		return long
	}
	return key
}

func parse(words []string) map[string]string {
	found := map[string]string{}
	for n := 0; n < len(words); n++ {
		key, value, joined := strings.Cut(strings.TrimLeft(words[n], "-"), "=")
		key = full(key)
		switch {
		case joined:
		case switches[key]:
			value = "true"
		case n+1 < len(words):
			n++
			value = words[n]
		}
		found[key] = value
	}
	return found
}

// run starts containerd and stays with it.
func run(base string) {
	const socket = "/run/k3s/containerd/containerd.sock"
	child := exec.Command("/usr/bin/containerd", "-c", filepath.Join(base, "config.toml"),
		"-a", socket, "--state", "/run/k3s/containerd", "--root", "/var/lib/containerd/k3s")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	os.Remove(socket)
	if err := child.Start(); err != nil {
		fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			if connection, err := net.Dial("unix", socket); err == nil {
				connection.Close()
				ready()
				return
			}
		}
	}()
	select {
	case err := <-ended:
		fatal(fmt.Errorf("containerd has ended: %v", err))
	case <-stop:
		child.Process.Signal(syscall.SIGTERM)
		<-ended
	}
}

func ready() {
	connection, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err == nil {
		connection.Write([]byte("READY=1"))
		connection.Close()
	}
}
