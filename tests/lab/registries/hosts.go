package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	cryptotls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// A request for an image, as a host receives it. The login is the text that Basic carries.
type request struct {
	URL   string `json:"url"`
	Login string `json:"login"`
}

// hosts stands for every host on the network: a proxy that asks for a login and has no image.
type hosts struct {
	mutex  sync.Mutex
	seen   []request
	signer *cryptotls.Certificate
}

// listen starts the proxy, and makes this process use it and trust its certificates.
func listen() (*hosts, error) {
	signer, err := authority()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	proxy := &hosts{signer: signer}
	for _, key := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Setenv(key, "http://"+listener.Addr().String())
	}
	for _, key := range []string{"NO_PROXY", "no_proxy"} {
		os.Unsetenv(key)
	}
	go http.Serve(listener, proxy)
	return proxy, nil
}

func (h *hosts) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	if in.Method != http.MethodConnect {
		h.answer(out, in, "http://"+in.Host)
		return
	}
	raw, _, err := out.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer raw.Close()
	if _, err := raw.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
		return
	}
	certificate, err := h.certificate(in.URL.Hostname())
	if err != nil {
		return
	}
	secure := cryptotls.Server(raw, &cryptotls.Config{Certificates: []cryptotls.Certificate{*certificate}})
	defer secure.Close()
	reader := bufio.NewReader(secure)
	host := "https://" + strings.TrimSuffix(in.Host, ":443")
	for {
		inner, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		reply := &http.Response{ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: inner}
		h.answer(&plainWriter{reply}, inner, host)
		if reply.Write(secure) != nil {
			return
		}
	}
}

// answer challenges for a login at the root of the API, and knows no manifest.
func (h *hosts) answer(out http.ResponseWriter, in *http.Request, host string) {
	if strings.HasSuffix(in.URL.Path, "/") {
		out.Header().Set("WWW-Authenticate", `Basic realm="all"`)
		out.WriteHeader(http.StatusUnauthorized)
		return
	}
	user, password, _ := in.BasicAuth()
	login := strings.TrimSuffix(user+":"+password, ":")
	h.mutex.Lock()
	h.seen = append(h.seen, request{host + in.URL.Path, login})
	h.mutex.Unlock()
	out.WriteHeader(http.StatusNotFound)
}

func (h *hosts) forget() {
	h.mutex.Lock()
	h.seen = []request{}
	h.mutex.Unlock()
}

func (h *hosts) requests() []request {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.seen
}

type plainWriter struct{ reply *http.Response }

func (w *plainWriter) Header() http.Header            { return w.reply.Header }
func (w *plainWriter) Write(text []byte) (int, error) { return len(text), nil }
func (w *plainWriter) WriteHeader(code int)           { w.reply.StatusCode = code }

// authority makes a certificate authority, and names its file as that of the system's roots.
func authority() (*cryptotls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	made, err := sign(template, nil)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "registries-*.pem")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]}); err != nil {
		return nil, err
	}
	os.Setenv("SSL_CERT_FILE", file.Name())
	os.Setenv("SSL_CERT_DIR", os.DevNull)
	_, err = x509.SystemCertPool() // read once, now
	return made, err
}

func (h *hosts) certificate(host string) (*cryptotls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	if address := net.ParseIP(host); address != nil {
		template.IPAddresses = []net.IP{address}
	} else {
		template.DNSNames = []string{host}
	}
	return sign(template, h.signer)
}

func sign(template *x509.Certificate, signer *cryptotls.Certificate) (*cryptotls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	parent, by := template, any(key)
	if signer != nil {
		parent, by = signer.Leaf, signer.PrivateKey
	}
	made, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(made)
	if err != nil {
		return nil, err
	}
	return &cryptotls.Certificate{Certificate: [][]byte{made}, PrivateKey: key, Leaf: leaf}, nil
}
