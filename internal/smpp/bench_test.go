package smpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// benchmarkMessage is a submit_sm as carriers see them: a full segment, a reference, a receipt wanted.
func benchmarkMessage() *SubmitSM {
	return &SubmitSM{
		Source:             Address{TON: TONInternational, NPI: NPIISDN, Addr: "14155550100"},
		Dest:               Address{TON: TONInternational, NPI: NPIISDN, Addr: "14152223333"},
		RegisteredDelivery: ReceiptFinal,
		ShortMessage:       strings.Repeat("x", 160),
		TLVs:               TLVs{}.WithUint16(TagUserMessageReference, 4711),
	}
}

// Sending and receiving a submit_sm may cost two allocations together: the body and the octets that its fields are parts of.
func TestSubmitAllocations(t *testing.T) {
	pdu := benchmarkMessage()
	buf := make([]byte, 0, 512)
	var got PDU
	allocations := testing.AllocsPerRun(1000, func() {
		octets, err := Append(buf[:0], 1, ESME_ROK, pdu)
		if err != nil {
			t.Fatal(err)
		}
		if _, got, err = Decode(octets); err != nil {
			t.Fatal(err)
		}
	})
	if *got.(*SubmitSM) != *pdu {
		t.Errorf("came back as %+v", got)
	}
	if allocations > 2 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkAppendSubmit(b *testing.B) {
	pdu := benchmarkMessage()
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = Append(buf[:0], 1, ESME_ROK, pdu)
	}
}

func BenchmarkDecodeSubmit(b *testing.B) {
	octets, _ := Append(nil, 1, ESME_ROK, benchmarkMessage())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(octets); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeIntoSubmit(b *testing.B) {
	octets, _ := Append(nil, 1, ESME_ROK, benchmarkMessage())
	var pdu SubmitSM
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeInto(octets, &pdu); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSession is submit_sm and its response between two sessions of this package, over loopback TCP.
func BenchmarkSession(b *testing.B) {
	for _, window := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) { benchmarkSession(b, window) })
	}
}

func benchmarkSession(b *testing.B, window int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	resp := &SubmitSMResp{MessageID: "0123456789"}
	server := &Server{Config: Config{
		Authenticate: acceptAll,
		Handler:      func(r *Request) { _ = r.Respond(ESME_ROK, resp) },
	}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	client := start(ctx, conn, ESME, Config{Window: window})
	defer func() {
		cancel()
		<-client.Done()
		<-served
	}()
	if _, err := client.Bind(ctx, &Bind{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	flood(b, client.Session, window, b.N)
}

// flood keeps the window full until n submits are answered.
func flood(b *testing.B, client *Session, window, n int) {
	pdu := benchmarkMessage()
	places := make(chan struct{}, window)
	failed := make(chan error, 1)
	done := func(_ Response, err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
		<-places
	}
	for range n {
		places <- struct{}{}
		client.Submit(pdu, done)
	}
	for range window {
		places <- struct{}{}
	}
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
}

// BenchmarkBareRoundTrip is what BenchmarkSession with a window of 1 is to be compared with: the same octets there and back over loopback TCP,
// and nothing done with them.
func BenchmarkBareRoundTrip(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	request, _ := Append(nil, 1, ESME_ROK, benchmarkMessage())
	response, _ := Append(nil, 1, ESME_ROK, &SubmitSMResp{MessageID: "0123456789"})
	echoed := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		for buf := make([]byte, len(request)); err == nil; {
			if _, err = io.ReadFull(conn, buf); err == nil {
				_, err = conn.Write(response)
			}
		}
		echoed <- errors.Join(conn.Close(), listener.Close())
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, len(response))
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(conn.Close(), <-echoed); err != nil {
		b.Fatal(err)
	}
}
