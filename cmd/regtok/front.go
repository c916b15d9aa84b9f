package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"

	"regtok/server"
)

// frontSettings are about who reaches the server, and how.
type frontSettings struct {
	Origins        originNames `variable:"REGTOK_ORIGINS" placeholder:"ORIGIN,..." help:"Origins whose pages may use the API from a browser, besides the server's own: each with scheme, host, and a port that is not the scheme's own, like https://app.example.com."`
	TLSCert        filePath    `name:"tls-cert" variable:"REGTOK_TLS_CERT" placeholder:"FILE" help:"Certificate in PEM, its issuers' after it, with which the server speaks TLS and HTTP/2. It and its key are read again when they change. Without both it speaks plain HTTP."`
	TLSKey         filePath    `name:"tls-key" variable:"REGTOK_TLS_KEY" placeholder:"FILE" help:"Private key of that certificate, in PEM."`
	TrustedProxies proxyRanges `variable:"REGTOK_TRUSTED_PROXIES" placeholder:"ADDRESS,..." help:"Proxies in front, as addresses or ranges like 10.0.0.0/8: what they say in X-Forwarded-For of where a caller is goes into the log, and they see to TLS."`
}

// filePath is the path of a file that is there; in the configuration file it is one from there.
type filePath string

// UnmarshalText implements encoding.TextUnmarshaler. Its error does not repeat the path, which may be a key that went astray.
func (p *filePath) UnmarshalText(text []byte) error {
	if _, err := os.Stat(string(text)); err != nil {
		return errors.New("there is no such file, or it cannot be looked at")
	}
	*p = filePath(text)
	return nil
}

// proxyRanges are ranges of addresses, separated by commas.
type proxyRanges []netip.Prefix

// UnmarshalText implements encoding.TextUnmarshaler. It adds: a flag may be given more than once.
func (p *proxyRanges) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if ip, err := netip.ParseAddr(part); err == nil && ip.Zone() == "" {
			*p = append(*p, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil || prefix != prefix.Masked() {
			return fmt.Errorf("%q is not an address like 10.0.0.7, and not a range like 10.0.0.0/8", part)
		}
		if prefix.Bits() == 0 {
			return fmt.Errorf("%q is everybody: name the proxies", part)
		}
		*p = append(*p, prefix)
	}
	return nil
}

// certificate is what the server shows of itself; nil: it speaks plain HTTP.
func (f frontSettings) certificate() (*server.Certificate, error) {
	switch {
	case f.TLSCert == "" && f.TLSKey == "":
		return nil, nil
	case f.TLSKey == "":
		return nil, fmt.Errorf("%s is given without %s: TLS needs both", settingName("tls-cert"), settingName("tls-key"))
	case f.TLSCert == "":
		return nil, fmt.Errorf("%s is given without %s: TLS needs both", settingName("tls-key"), settingName("tls-cert"))
	}
	certificate, err := server.NewCertificate(server.CertificateFiles{Certificate: string(f.TLSCert), Key: string(f.TLSKey)})
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", settingName("tls-cert"), settingName("tls-key"), err)
	}
	return certificate, nil
}

// warn tells once of an address on which credentials can be read by whoever is in between.
func (f frontSettings) warn(log *slog.Logger, address net.Addr) {
	if f.TLSCert == "" && len(f.TrustedProxies) == 0 && !server.Loopback(address) {
		log.Warn("callers' keys and new secrets cross the network as they are: other machines reach this address, and there is no TLS", "address", address.String(),
			"cure", settingName("tls-cert")+" and "+settingName("tls-key")+", or a proxy with TLS in front that "+settingName("trusted-proxies")+" names")
	}
}

// originNames are origins of pages, separated by commas.
type originNames []string

// UnmarshalText implements encoding.TextUnmarshaler. It adds: a flag may be given more than once.
func (o *originNames) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		origin, err := server.ParseOrigin(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%q: %w", part, err)
		}
		*o = append(*o, origin)
	}
	return nil
}
