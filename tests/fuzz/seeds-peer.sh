#!/bin/sh
# Write the seeds of fuzz_peer: a certificate for each form of subject.
#
#   tests/fuzz/seeds-peer.sh [FOLDER]
set -eu

out=${1:-$(dirname "$0")/corpus/peer}
key=$(mktemp)
trap 'rm -f "$key"' EXIT
openssl ecparam -name prime256v1 -genkey -noout -out "$key"

seed() {
	openssl req -new -x509 -key "$key" -days 3650 -config /dev/null \
		-subj "$2" -outform DER -out "$out/$1.der"
}

seed documented "/OU=SPA-962/L=88012BA00001/ST=000e08aabbcc"
seed documented-mpp "/OU=CP-8841-3PCC/L=FCH00000001/ST=000e08aabbcc"
seed observed "/C=US/ST=000E08AABBCC/L=CBT00000001/O=Cisco Systems, Inc./OU=\
cisco.com/CN=SPA-525G2, MAC: 000E08AABBCC, Serial: CBT00000001/emailAddress=\
certs@example.net"
seed sipura "/C=US/ST=000E08AABBCC/L=88012BA00001/O=Sipura Technology/OU=\
sipura.com/CN=SPA-2000, MAC: 000E08AABBCC, Serial: 88012BA00001"
seed mic "/serialNumber=PID:CP-8861 SN:FCH00000001/O=Cisco Systems Inc./OU=\
CTG/CN=CP-8861-SEP000E08AABBCC"
seed generic "/C=US/ST=sipurageneric/L=sipurageneric/O=Sipura Technology/OU=\
sipura.com/CN=SPA-2000, MAC: sipurageneric, Serial: sipurageneric"
seed contradiction "/ST=000E08AABBCD/L=CBT00000001/CN=SPA-525G2, MAC: \
000E08AABBCC, Serial: CBT00000001"
