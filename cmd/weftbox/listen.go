package main

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// isLoopback reports whether an address can be reached from this machine only.
func isLoopback(addr string) (bool, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return false, fail(exitUsage, "weftbox serve --http-addr 127.0.0.1:8420", "%q is no address to listen on: write HOST:PORT", addr)
	}
	if host == "localhost" {
		return true, nil
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback(), nil
}

// listenOn listens; when the port is taken the error names the next free one that neither address uses.
func listenOn(addr, flag string, taken ...string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		if free := nextFree(addr, taken); free != "" {
			return nil, fail(exitConflict, "weftbox serve "+flag+" "+free, "%s is in use by another program: %s is free (or let --random-ports choose)", addr, free)
		}
		return nil, fail(exitConflict, "weftbox serve --random-ports", "%s is in use by another program, and so are the ports after it", addr)
	}
	return nil, fail(exitFailed, "weftbox serve --random-ports", "%s cannot be listened on: %v", addr, err)
}

func nextFree(addr string, taken []string) string {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return ""
	}
	used := map[string]bool{}
	for _, t := range taken {
		used[t] = true
	}
	for next := port + 1; next <= min(port+50, 65535); next++ {
		candidate := net.JoinHostPort(host, strconv.Itoa(next))
		if used[candidate] {
			continue
		}
		if l, err := net.Listen("tcp", candidate); err == nil {
			_ = l.Close() // it was only a question
			return candidate
		}
	}
	return ""
}

// urlOf returns the URL under which a listener is reached from this machine.
func urlOf(l net.Listener) string {
	addr := l.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
