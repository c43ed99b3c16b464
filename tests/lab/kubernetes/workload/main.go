// The only program in the images of the lab's pods: a sandbox that waits, a web server, its probe.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

const address = ":8080"

func main() {
	mode := "pause"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "pause":
		pause()
	case "serve":
		serve()
	case "check":
		check()
	default:
		fmt.Fprintln(os.Stderr, "pause, serve or check")
		os.Exit(2)
	}
}

// pause waits for SIGTERM, and reaps children, as the first process of a sandbox must.
func pause() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
				break
			}
		}
	}
}

func serve() {
	go func() {
		pause()
		os.Exit(0)
	}()
	name, _ := os.Hostname()
	http.HandleFunc("/", func(out http.ResponseWriter, _ *http.Request) { fmt.Fprintln(out, name) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
	os.Exit(1)
}

func check() {
	response, err := http.Get("http://127.0.0.1" + address)
	if err != nil || response.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, "not serving:", err)
		os.Exit(1)
	}
}
