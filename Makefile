# `make run` starts a cluster on this machine; `make test` proves that it works.
# Both install what they need by package name when run as root on Debian.

SHELL := /bin/bash
SEEDS ?= 1000
CARGO := cargo

# Debian packages that are needed, as PACKAGE:COMMAND-OR-FILE-THAT-PROVES-IT.
NEEDS := gcc:cc
test: NEEDS += curl:curl git:git openssl:openssl python3:python3
test bench: NEEDS += default-jre-headless:java libzookeeper-java:/usr/share/java/zookeeper.jar

# And those of the tests that only root can run.
ROOT_NEEDS := docker.io:dockerd busybox-static:busybox iproute2:ip nftables:nft
test: NEEDS += $(if $(filter 0,$(shell id -u)),$(ROOT_NEEDS))

# What is loaded at run time, and so must be built beside the programs.
NO_MODULES := allocation-engine api host sdk template
MODULES := $(patsubst modules/%/Cargo.toml,-p reeve-%,$(filter-out $(NO_MODULES:%=modules/%/Cargo.toml),$(wildcard modules/*/Cargo.toml)))
PROGRAMS := -p reeve-cli -p reeve-executor $(MODULES)

# What makes packages, and what boots a system to try them on.
DEB_NEEDS := debhelper:dh git:git
RPM_NEEDS := elfutils:eu-strip git:git rpm:rpmbuild
BOOT_NEEDS := lintian:lintian rpmlint:rpmlint createrepo-c:createrepo_c mmdebstrap:mmdebstrap
BOOT_NEEDS += systemd-container:systemd-nspawn iproute2:ip nftables:nft
VM_NEEDS := vagrant:vagrant vagrant-libvirt:/usr/share/doc/vagrant-libvirt
VM_NEEDS += libvirt-daemon-system:libvirtd libvirt-clients:virsh dnsmasq-base:dnsmasq
VM_NEEDS += qemu-system-x86:qemu-system-x86_64 qemu-utils:qemu-img tini:tini mmdebstrap:mmdebstrap iproute2:ip
deb sandbox: NEEDS += $(DEB_NEEDS)
rpm: NEEDS += $(RPM_NEEDS)
packaged: NEEDS += python3:python3 python3-venv:/usr/share/doc/python3-venv
test-packages: NEEDS += $(DEB_NEEDS) $(RPM_NEEDS) $(BOOT_NEEDS)
test-sandbox: NEEDS += $(DEB_NEEDS) $(VM_NEEDS)

# What packages hold starts with this C library and every newer one: Debian 11, Ubuntu 20.04, EL 8. Here
# it is zig that links, because it knows the symbols of each version.
GLIBC := 2.28
ZIG := $(CURDIR)/target/zig
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
# Programs tell nothing of where they were built, and debug symbols are found by the build's id.
PACKAGED := --remap-path-prefix=$(CURDIR)=/usr/src/reeve
PACKAGED += --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/usr/src/cargo
PACKAGED += -C link-arg=-Wl,--build-id=sha1

VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)

.PHONY: run test test-packages test-sandbox programs check bench policies simulate build release \
	packaged deb rpm sandbox fmt needs clean

run: needs release ## start a master and an agent on port 5050
	@exec target/release/reeve local --ip 127.0.0.1 --ip 127.0.1.1 --port 5050

test: needs programs ## every test; those that need root say so and are left out without it
	$(CARGO) test --workspace --quiet

test-packages: needs programs ## the packages on freshly booted systems; needs root
	packaging/test target/debug target/packages

test-sandbox: deb ## the sandbox, brought up through libvirt, and the packages in it; needs root
	DEB_BUILD_OPTIONS=noautodbgsym packaging/build deb target/$(HOST)/packaged $(VERSION).1 target/deb-newer
	tests/sandbox/run target/deb target/deb-newer target/sandbox

programs: needs ## what the tests of real processes start
	$(CARGO) build $(PROGRAMS)

check: ## formatting and lints, warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

bench: needs release ## figures against their aims, also in target/bench/bench.json
	$(CARGO) build --release -p reeve-bench
	target/release/reeve-bench

policies: programs ## what each allocator makes of the same demands, as the table in docs/allocators.md
	$(CARGO) run --quiet -p reeve-tests --bin policies

simulate: ## whole clusters on a virtual clock: make simulate SEEDS=100000
	SEEDS=$(SEEDS) $(CARGO) test --release -p reeve-simulation -- --nocapture

build: needs
	$(CARGO) build --workspace

release: needs
	$(CARGO) build --release $(PROGRAMS)
	@ln -sf reeve target/release/mesos-execute

packaged: needs $(ZIG)/bin/cargo-zigbuild ## what packages hold, for older C libraries and small
	PATH="$(ZIG)/bin:$$PATH" RUSTFLAGS="$(PACKAGED)" \
	  $(CARGO) zigbuild --profile packaged --target $(HOST).$(GLIBC) $(PROGRAMS)

$(ZIG)/bin/cargo-zigbuild: | needs
	python3 -m venv $(ZIG)
	$(ZIG)/bin/pip install --quiet cargo-zigbuild==0.24.0 ziglang==0.17.1

deb rpm: packaged ## Debian packages in target/deb, RPMs in target/rpm
	packaging/build $@ target/$(HOST)/packaged $(VERSION) target/$@ $(GLIBC)

sandbox: deb ## a virtual machine with a whole cluster, at http://10.141.141.10:5050
	vagrant/bin/test
	cd vagrant && vagrant up

fmt:
	$(CARGO) fmt

needs:
	@missing=""; \
	for need in $(NEEDS); do command -v "$${need#*:}" >/dev/null || test -e "$${need#*:}" || missing="$$missing $${need%:*}"; done; \
	command -v $(CARGO) >/dev/null || { echo "Reeve needs Rust 1.95 or newer (cargo and rustc)" >&2; exit 1; }; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq $$missing; \
	  else echo "please install:$$missing (as root: apt-get install$$missing)" >&2; exit 1; fi; \
	fi

clean:
	$(CARGO) clean
