// Command crictl is the lab's own CRI client, with the flags and the output of crictl that fleet
// uses. The lab builds it only where the real crictl cannot be had. Every call is a real CRI call to
// the node's containerd: runtime.v1, or runtime.v1alpha2 where the daemon knows nothing newer.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const version = "v0.0.0-lab"

// The messages of both API versions are the same on the wire; only the service's name differs.
func call(conn *grpc.ClientConn, service, method string, in, out interface{}) error {
	var err error
	for _, api := range []string{"v1", "v1alpha2"} {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		err = conn.Invoke(ctx, "/runtime."+api+"."+service+"/"+method, in, out)
		cancel()
		if status.Code(err) != codes.Unimplemented {
			return err
		}
	}
	return err
}

func info(conn *grpc.ClientConn) error {
	var answer cri.StatusResponse
	if err := call(conn, "RuntimeService", "Status", &cri.StatusRequest{}, &answer); err != nil {
		return err
	}
	conditions := []map[string]interface{}{}
	for _, each := range answer.Status.Conditions {
		conditions = append(conditions, map[string]interface{}{
			"type": each.Type, "status": each.Status, "reason": each.Reason, "message": each.Message,
		})
	}
	body, err := json.MarshalIndent(map[string]interface{}{
		"status": map[string]interface{}{"conditions": conditions},
	}, "", "  ")
	fmt.Println(string(body))
	return err
}

func pull(conn *grpc.ClientConn, image string) error {
	request := cri.PullImageRequest{Image: &cri.ImageSpec{Image: image}}
	var answer cri.PullImageResponse
	if err := call(conn, "ImageService", "PullImage", &request, &answer); err != nil {
		return err
	}
	fmt.Println("Image is up to date for " + answer.ImageRef)
	return nil
}

func images(conn *grpc.ClientConn, image string) error {
	request := cri.ListImagesRequest{Filter: &cri.ImageFilter{Image: &cri.ImageSpec{Image: image}}}
	var answer cri.ListImagesResponse
	if err := call(conn, "ImageService", "ListImages", &request, &answer); err != nil {
		return err
	}
	for _, each := range answer.Images {
		fmt.Println(each.Id)
	}
	return nil
}

func remove(conn *grpc.ClientConn, image string) error {
	request := cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: image}}
	return call(conn, "ImageService", "RemoveImage", &request, &cri.RemoveImageResponse{})
}

func run(endpoint, command, image string) error {
	conn, err := grpc.Dial(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	switch command {
	case "info":
		return info(conn)
	case "pull":
		return pull(conn, image)
	case "images":
		return images(conn, image)
	case "rmi":
		return remove(conn, image)
	}
	return fmt.Errorf("the lab's crictl has no command %q", command)
}

func main() {
	runtime := flag.String("r", "unix:///run/containerd/containerd.sock", "runtime endpoint")
	flag.String("i", "", "image endpoint")
	shown := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *shown {
		fmt.Println("crictl version " + version)
		return
	}
	rest := flag.Args()
	if len(rest) == 0 {
		fmt.Fprintln(os.Stderr, "usage: crictl [-r ENDPOINT] info | pull | images -q | rmi [IMAGE]")
		os.Exit(2)
	}
	image := ""
	if len(rest) > 1 {
		image = rest[len(rest)-1]
	}
	if err := run(*runtime, rest[0], image); err != nil {
		fmt.Fprintln(os.Stderr, "FATA[0000]", err)
		os.Exit(1)
	}
}
