# usher: everything a person does with this checkout. `make demo` and `make test` are the two that matter.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test test-neon test-avx512 soak soak-cameras soak-kills soak-consent soak-sim soak-faults soak-days soak-pressure soak-overload fuzz check check-cuda test-cuda bundle-cuda deb test-deb update sbom bench bench-peers setup packages test-packages pages build weights clean help

CARGO ?= cargo
USHER := target/release/usher
DATA := $(CURDIR)/data
export USHER_MODELS := $(DATA)/models
export USHER_PICTURES := $(DATA)/pictures

# What the product needs on Debian 12 (GStreamer, a C toolchain for the crates that bundle C, Node for the pages,
# pip for the weights' package) and what only the tests need (real servers, a browser).
PACKAGES := build-essential pkg-config ca-certificates python3-pip \
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev \
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav glib-networking
TEST_PACKAGES := libgstrtspserver-1.0-dev mosquitto nats-server chromium openssl python3-cryptography systemd tcpdump fonts-noto-core fonts-noto-cjk $(DEB_PACKAGES)
# With which the Debian package is made, and looked over.
DEB_PACKAGES := debhelper lintian

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

## --- the two commands -------------------------------------------------------------------------------------------

demo: build weights ## install what is missing, build, run the gate on real faces (CAMERA=, HEADLESS=1, DURATION=60)
	$(USHER) demo --config config/demo.yaml $(if $(CAMERA),--camera '$(CAMERA)') $(if $(HEADLESS),--headless) $(if $(DURATION),--duration '$(DURATION)')

test: test-packages pages weights ## install what the tests need, then every test there is
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- -D warnings
	cd pipeline/web && npm run --silent check
	$(CARGO) test --release --workspace --locked
	@$(MAKE) --no-print-directory test-neon

## --- set-up: idempotent, quick when nothing is missing ----------------------------------------------------------

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
define install-missing
	@missing=$$(for p in $(1); do [ "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "==> installing Debian packages:" $$missing; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi
endef

setup: packages pages build weights ## everything the demo needs, without running it

packages:
	$(call install-missing,$(PACKAGES))
	@if ! command -v npm >/dev/null; then echo "==> installing Node"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; fi
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it with rustup, version $$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer"; exit 1; }

test-packages: packages
	$(call install-missing,$(TEST_PACKAGES))

WEB := pipeline/web
pages: $(WEB)/dist/.built
$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json | packages
	@echo "==> fetching what the pages are built with"
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed
$(WEB)/dist/.built: $(WEB)/node_modules/.installed $(shell find $(WEB) -path $(WEB)/node_modules -prune -o -path $(WEB)/dist -prune -o -type f \( -name '*.ts' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.mjs' \) -print)
	@echo "==> bundling the pages"
	cd $(WEB) && npm run --silent build && touch dist/.built

# The same selection of crates and features for the demo and the tests, so that nothing is built twice.
build: packages pages
	$(CARGO) build --release --locked --workspace $(if $(filter test,$(MAKECMDGOALS)),--all-targets)

# The optional networks are fetched for whoever tests or benches them.
weights: build ## fetch and check the weights and the demo's pictures
	$(USHER) models install --data $(DATA) $(if $(filter test bench bench-peers test-on-cuda bundle-cuda,$(MAKECMDGOALS)),--all)
	$(USHER) models pictures --data $(DATA)

## --- what a change must pass ------------------------------------------------------------------------------------

check: test-packages pages ## formatting, lints, licences, docs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked -- -D warnings
	cd pipeline/web && npm run --silent check
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked --quiet cargo-deny
	$(CARGO) deny --offline check bans licenses sources
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --release --workspace --no-deps --locked --quiet

PEERS := benches/peers
bench: test-packages build weights $(PEERS)/.venv-plan/.installed ## the figures of benches/, written to benches/results
	$(CARGO) run --release --locked -p usher-benches

bench-peers: build weights $(PEERS)/.venv/.installed ## usher against onnxruntime, OpenVINO, ncnn, TFLite, OpenCV, faiss (ARGS='--only yunet'; end to end: ARGS='--only pipeline')
	$(PEERS)/.venv/bin/python $(PEERS)/bench.py $(ARGS)

$(PEERS)/.venv/.installed: $(PEERS)/requirements.txt
$(PEERS)/.venv-plan/.installed: $(PEERS)/requirements-plan.txt
$(PEERS)/.venv/.installed $(PEERS)/.venv-plan/.installed:
	@python3 -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory PACKAGES=python3-venv packages
	@echo "==> fetching the peers"
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $< && touch $@

# ARM's kernels are run wherever they can be: a toolchain for them, a linker and an emulator.
ARM := aarch64-unknown-linux-gnu
ARM_STD := $$($${RUSTC:-rustc} --print target-libdir --target $(ARM))
test-neon: ## the kernels of ARM, emulated; says so where something for that is missing
	@missing=$$([ -d "$(ARM_STD)" ] || echo "the target $(ARM) (rustup target add $(ARM))"; \
	command -v aarch64-linux-gnu-gcc >/dev/null || echo gcc-aarch64-linux-gnu; \
	command -v qemu-aarch64-static >/dev/null || echo qemu-user-static); \
	if [ -n "$$missing" ]; then echo "==> the NEON kernels were NOT run: missing" $$missing; else \
	  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -L /usr/aarch64-linux-gnu" \
	  PROPTEST_CASES=24 $(CARGO) test --release --locked --target $(ARM) --target-dir target/neon -p usher-models --lib -- kernels:: plan:: search::; fi

# The long forms of what `make test` shows in short. Each ends with one line of JSON, kept with machine and date.
RECORD = tee /dev/stderr | grep -o '{.*"soak".*}' | sed "s|^{|{\"date\":\"$$(date -u +%F)\",\"machine\":\"$$(nproc) x $$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)\",|" \
  >> docs/reliability/soaks.jsonl
SOAK = $(CARGO) test --release --locked --workspace --test $(1) -- --exact --nocapture $(2) | $(RECORD)
soak: test-packages pages weights soak-cameras soak-kills soak-consent soak-sim soak-faults soak-days soak-pressure soak-overload ## faults by the hundred and kills by the thousand; figures go to docs/reliability

soak-cameras: ## two hundred cameras that freeze, fall silent or are killed: noticed, and back, how soon (FAULTS=200)
	USHER_FAULTS=$(or $(FAULTS),200) $(call SOAK,faults,every_fault_is_noticed_and_every_camera_comes_back)

soak-kills: ## usher killed a thousand times, its broker two hundred: no visit is lost, no greeting late (KILLS=1000)
	USHER_KILLS=$(or $(KILLS),1000) $(call SOAK,publish_kills,nothing_is_lost_however_often_usher_and_its_broker_are_killed)

soak-consent: ## a thousand kills at random moments: no enrolment, deletion or consent is lost or torn (KILLS=1000)
	USHER_KILLS=$(or $(KILLS),1000) $(call SOAK,consent,a_kill_at_any_moment_loses_nothing_that_was_acknowledged)

soak-sim: ## ten thousand simulated days under every fault, by seed (SEEDS=10000, WALKS=300, GATES=3)
	USHER_SEEDS=$(or $(SEEDS),10000) USHER_WALKS=$(or $(WALKS),300) USHER_GATES=$(or $(GATES),3) $(call SOAK,days,no_day_breaks_a_rule_whatever_fails)

soak-days: ## three days of a camera in hours, and ten thousand cuts of another: memory and descriptors (FRAMES=7800000, RECONNECTS=10000)
	USHER_FRAMES=$(or $(FRAMES),7800000) USHER_RECONNECTS=$(or $(RECONNECTS),10000) $(call SOAK,soak,a_gate_holds_no_more_after_days_of_frames_and_cuts_than_it_did_before)

soak-faults: ## disks that fill up, turn read-only or hang, and cameras' wires that do all a wire can, under a gate that greets (FAULTS=60)
	USHER_FAULTS=$(or $(FAULTS),60) $(call SOAK,faults_disk,a_disk_that_fails_in_any_way_stops_no_gate_keeps_no_consent_by_half_and_heals_by_itself)
	USHER_FAULTS=$(or $(FAULTS),60) $(call SOAK,faults_wire,a_camera_behind_a_bad_wire_is_noticed_comes_back_and_never_takes_the_gate_with_it)
	USHER_FAULTS=$(or $(FAULTS),60) $(call SOAK,coded_people,whoever_is_named_carries_that_name_in_the_picture_whatever_fails_on_the_way)

soak-pressure: ## little of a processor, and little memory, under a gate that greets (FAULTS=60 of each)
	USHER_FAULTS=$(or $(FAULTS),60) $(call SOAK,pressure,cpu::a_gate_with_little_of_a_processor_goes_on_names_nobody_wrongly_and_no_queue_grows)
	USHER_FAULTS=$(or $(FAULTS),60) $(call SOAK,pressure,memory::a_gate_without_memory_is_started_again_and_nothing_acknowledged_is_lost)

soak-overload: ## four times the pictures that this machine can look at: fresh ones alone, memory flat, over when it ends (OVERLOAD=600 seconds)
	USHER_OVERLOAD_S=$(or $(OVERLOAD),600) $(call SOAK,pressure,overload::four_times_the_load_makes_nothing_old_and_is_over_when_it_ends)

# By coverage, of the stable toolchain: without a sanitizer nothing of it needs another (docs/decisions/0020).
fuzz: packages pages ## every reader of outside data, guided by coverage, on all cores: hours (RUNS=10000000 each, or FUZZ_TIME=60 seconds; TARGET=symbol)
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked --quiet cargo-fuzz
	RUNS=$(or $(RUNS),10000000) FUZZ_TIME=$(FUZZ_TIME) pipeline/fuzz/run.sh $(TARGET) | $(RECORD)

# AVX-512 on a machine without it: a whole one is emulated, with a kernel (KERNEL=) that need not be this one's.
KERNEL ?= $(lastword $(sort $(wildcard /boot/vmlinuz-*)))
AVX512_TOOLS := bochs:bochs busybox:busybox-static xorriso:xorriso cpio:cpio script:bsdutils objcopy:binutils
AVX512_FILES := /usr/lib/ISOLINUX/isolinux.bin:isolinux /usr/lib/syslinux/modules/bios/ldlinux.c32:syslinux-common \
  /usr/share/bochs/BIOS-bochs-latest:bochsbios /usr/share/vgabios/vgabios.stdvga.bin:vgabios \
  /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so:bochs-term
test-avx512: ## the kernels of AVX-512, emulated (20 minutes); says so where something for that is missing
	@missing=$$(for tool in $(AVX512_TOOLS); do command -v $${tool%:*} >/dev/null || echo $${tool#*:}; done; \
	for file in $(AVX512_FILES); do [ -e $${file%:*} ] || echo $${file#*:}; done; \
	[ -r "$(KERNEL)" ] || echo "a kernel (linux-image-cloud-amd64, or KERNEL=its vmlinuz)"); \
	if grep -q avx512_vnni /proc/cpuinfo; then echo "==> this machine has AVX-512: make test runs its kernels"; \
	elif [ -n "$$missing" ]; then echo "==> the AVX-512 kernels were NOT run: missing" $$missing; else \
	  $(CARGO) test --release --locked --workspace --lib --no-run --message-format json > target/tests.json; \
	  KERNEL="$(KERNEL)" models/emulated/avx512.sh "$$(python3 -c 'import json; print(*(m["executable"] for m in map(json.loads, open("target/tests.json")) \
	    if m.get("executable") and m["target"]["name"] == "usher_models"))')" kernels:: plan:: search:: --skip a_million_rows; fi

## --- CUDA (docs/decisions/0009) ---------------------------------------------------------------------------------

# The compiler as packages, and libraries that load the real ones when they are first called.
TOOLKIT := $(CURDIR)/target/toolkit
CUDA := $(TOOLKIT)/packages/nvidia/cu13
$(TOOLKIT)/.installed: models/toolkit/requirements.txt models/toolkit/lazy_stubs.py Cargo.lock | packages
	@echo "==> fetching the CUDA compiler"
	rm -rf $(TOOLKIT) && mkdir -p $(TOOLKIT)/root/lib64
	python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
	  --target $(TOOLKIT)/packages -r models/toolkit/requirements.txt
	chmod +x $(CUDA)/bin/* $(CUDA)/nvvm/bin/*
	ln -s $(CUDA)/include $(TOOLKIT)/root/include
	$(CARGO) metadata --locked --format-version 1 --all-features | python3 -c 'import json, sys; \
	  print(*(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))' > $(TOOLKIT)/cudarc
	python3 models/toolkit/lazy_stubs.py "$$(dirname "$$(cat $(TOOLKIT)/cudarc)")" $(TOOLKIT)/root/lib64
	ar crs $(TOOLKIT)/root/lib64/libcudart.a
	touch $@
# A build for CUDA has its own folder: other features, other objects.
WITH_CUDA := NVCC=$(CURDIR)/models/toolkit/nvcc-without-quantised.sh REAL_NVCC=$(CUDA)/bin/nvcc CUDARC_CUDA_VERSION=13000 \
  CUDA_COMPUTE_CAP=80 CUDA_HOME=$(TOOLKIT)/root CUDA_PATH=$(TOOLKIT)/root CARGO_TARGET_DIR=$(CURDIR)/target/cuda-build

check-cuda: packages $(TOOLKIT)/.installed ## type-check the CUDA flavour, compile its kernels, emulate them: no GPU needed
	NVCC=$(CURDIR)/models/src/kernels/nvcc-for-check.sh CUDARC_CUDA_VERSION=13000 CUDA_COMPUTE_CAP=80 \
	  $(CARGO) clippy --release --locked -p usher-models --features cuda --target-dir target/cuda -- -D warnings
	$(CUDA)/bin/nvcc --ptx -std=c++17 -O3 -arch compute_80 -o $(TOOLKIT)/usher.ptx models/src/kernels/cuda/usher.cu
	for at in 80 87 90; do $(CUDA)/bin/ptxas -arch sm_$$at -v -o /dev/null $(TOOLKIT)/usher.ptx 2> $(TOOLKIT)/sm_$$at.log; \
	  sed -n 's/.*Used \([0-9]*\) registers.*/\1/p' $(TOOLKIT)/sm_$$at.log | sort -n | tail -1 | \
	    sed "s/^/sm_$$at: assembles; most registers of a thread: /"; \
	  if grep -q ' [1-9][0-9]* bytes spill' $(TOOLKIT)/sm_$$at.log; then echo "sm_$$at: registers spill"; exit 1; fi; done
	$(CARGO) test --release --locked --workspace --lib cuda:: -- --nocapture

# Whether the driver finds a device, without building anything.
CUDA_DEVICES := python3 -c 'import ctypes; d = ctypes.CDLL("libcuda.so.1"); n = ctypes.c_int(); \
  assert d.cuInit(0) == 0 and d.cuDeviceGetCount(ctypes.byref(n)) == 0 and n.value > 0' 2>/dev/null
test-cuda: ## the golden tests on a CUDA device; says so where there is none
	@if $(CUDA_DEVICES); then $(MAKE) --no-print-directory test-on-cuda; else echo "no CUDA device here: nothing was tested"; fi
.PHONY: test-on-cuda
test-on-cuda: weights $(TOOLKIT)/.installed
	$(WITH_CUDA) USHER_TEST_CUDA=1 $(CARGO) test --release --locked -p usher-models --features cuda --test golden --test same -- --nocapture

BUNDLE := target/bundle-cuda
bundle-cuda: weights $(if $(MODELS_ONLY),,pages) $(TOOLKIT)/.installed ## what a GPU machine needs, as target/usher-cuda.tar.gz (MODELS_ONLY=1: without the gate)
	$(if $(MODELS_ONLY),,$(WITH_CUDA) $(CARGO) build --release --locked -p usher --features cuda)
	$(WITH_CUDA) $(CARGO) build --release --locked -p usher-benches --features cuda
	$(WITH_CUDA) $(CARGO) test --release --locked -p usher-models --features cuda --test golden --test same --no-run \
	  --message-format json > $(TOOLKIT)/tests.json
	python3 models/toolkit/bundle.py $(BUNDLE) target/cuda-build/release $(TOOLKIT)/tests.json $(USHER_MODELS) $(if $(MODELS_ONLY),,usher)
	tar -C $(BUNDLE)/.. -czf target/usher-cuda.tar.gz $(notdir $(BUNDLE))
	@ls -l target/usher-cuda.tar.gz

## --- the Debian package and its updates (docs/decisions/0028) ---------------------------------------------------

DEB := target/debian
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
export VERSION UPDATE_PUB
deb: build ## target/debian/usher_*.deb and usher-signage_*.deb (VERSION=, UPDATE_PUB=keys whose updates the box takes)
	$(call install-missing,$(DEB_PACKAGES))
	debian/build.sh $(DEB)
	lintian --allow-root --fail-on error $(DEB)/*.deb

test-deb: deb ## installs and purges the packages in a fresh Debian root (needs root and a mirror; MIRROR=)
	$(call install-missing,debootstrap)
	$(SUDO) debian/test.sh $(DEB) $(MIRROR)

update: deb ## target/debian/usher_*.usher, signed: KEY=FILE, the private key, made by `usher update key FILE`
	@[ -n "$(KEY)" ] || { echo "KEY=FILE is missing: the private key, made by \`$(USHER) update key FILE\`"; exit 1; }
	rm -f $(DEB)/usher_*.usher
	$(USHER) update sign --key '$(KEY)' $(DEB)/usher_*.deb

sbom: packages pages ## target/sbom/usher.cdx.json: what the binary is made of, CycloneDX
	@mkdir -p target/sbom
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} python3 debian/sbom.py $(VERSION) target/sbom/usher.cdx.json

clean: ## forget what was built and fetched
	$(CARGO) clean
	rm -rf $(WEB)/dist $(WEB)/node_modules $(PEERS)/.venv $(PEERS)/.venv-plan $(DATA)
