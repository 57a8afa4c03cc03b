// Go: net, net/http and gorilla/websocket, a goroutine for each connection.
//
// Started as all measured servers are: go SERVICE --port P --workers N [--reuse-port]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const (
	buffer = 8 << 10
	// How many messages may wait for one listener before the publisher waits for it.
	queue = 1024
	// SO_REUSEPORT of Linux, which package syscall does not name.
	reusePort = 15
)

// Debian's package; the module does not tell its version.
const gorillaVersion = "1.5.0"

func main() {
	if len(os.Args) < 2 {
		usage("which service? tcp-echo, http, websocket-echo or broadcast")
	}
	if os.Args[1] == "--version" {
		fmt.Printf("gorilla/websocket %s, %s\n", gorillaVersion, runtime.Version())
		return
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	port := flags.Int("port", 0, "the port to listen on")
	workers := flags.Int("workers", 1, "GOMAXPROCS")
	reuse := flags.Bool("reuse-port", false, "share the port with other processes")
	flags.Parse(os.Args[2:])
	runtime.GOMAXPROCS(*workers)

	serve := service(os.Args[1])
	if serve == nil {
		usage("there is no service " + os.Args[1])
	}
	listener, err := listen(*port, *reuse)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	fmt.Fprintln(os.Stderr, serve(listener))
	os.Exit(1)
}

func usage(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(2)
}

func service(name string) func(net.Listener) error {
	switch name {
	case "tcp-echo":
		return echoTCP
	case "http":
		return func(listener net.Listener) error { return http.Serve(listener, answers()) }
	case "websocket-echo":
		return func(listener net.Listener) error { return http.Serve(listener, upgraded(echo)) }
	case "broadcast":
		return func(listener net.Listener) error { return http.Serve(listener, broadcast()) }
	}
	return nil
}

// Listens with a backlog as long as the system permits, which is what Go always does.
func listen(port int, reuse bool) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		if !reuse {
			return nil
		}
		var err error
		conn.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, reusePort, 1)
		})
		return err
	}}
	return config.Listen(context.Background(), "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
}

// Go sets TCP_NODELAY itself. Reads and writes are plain: io.Copy would leave the bytes in the kernel.
func echoTCP(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			buf := make([]byte, buffer)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				if _, err := conn.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

type greeting struct {
	Message string `json:"message"`
}

func answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/plaintext", func(w http.ResponseWriter, _ *http.Request) { hello(w) })
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(greeting{"Hello, World!"})
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(10 * time.Millisecond)
		hello(w)
	})
	mux.HandleFunc("/compute", func(w http.ResponseWriter, _ *http.Request) {
		for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
		}
		hello(w)
	})
	return mux
}

func hello(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "Hello, World!")
}

var upgrader = websocket.Upgrader{}

func upgraded(handle func(*websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		handle(conn)
	})
}

func echo(conn *websocket.Conn) {
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

// What is sent to the connections to /feed: a queue for each.
type feeds struct {
	sync.Mutex
	queues map[chan *websocket.PreparedMessage]struct{}
}

func broadcast() http.Handler {
	feeds := &feeds{queues: make(map[chan *websocket.PreparedMessage]struct{})}
	mux := http.NewServeMux()
	mux.Handle("/feed", upgraded(feeds.feed))
	mux.Handle("/publish", upgraded(feeds.publish))
	return mux
}

func (f *feeds) feed(conn *websocket.Conn) {
	messages := make(chan *websocket.PreparedMessage, queue)
	f.Lock()
	f.queues[messages] = struct{}{}
	f.Unlock()
	go func() {
		for message := range messages {
			// An error shows in the loop below, which ends this one.
			conn.WritePreparedMessage(message)
		}
	}()
	for {
		if _, _, err := conn.NextReader(); err != nil {
			break
		}
	}
	f.Lock()
	delete(f.queues, messages)
	f.Unlock()
	close(messages)
}

func (f *feeds) publish(conn *websocket.Conn) {
	for {
		kind, bytes, err := conn.ReadMessage()
		if err != nil {
			return
		}
		message, err := websocket.NewPreparedMessage(kind, bytes)
		if err != nil {
			return
		}
		f.Lock()
		for messages := range f.queues {
			messages <- message
		}
		f.Unlock()
	}
}
