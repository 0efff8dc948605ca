# SPDX-License-Identifier: GPL-2.0-only
# The project's own commands; the kernel's build reads drivers/vfio/Makefile and its like.
# Each target is one script of the same name in scripts/, which also tells what it does.

export KVER JOBS

.NOTPARALLEL:
.PHONY: help deps run check modules tree kernel kunit test-modules selftests guests static compat bench demo-display series series-check mutants docs clean
.DEFAULT_GOAL := help

help:
	@echo 'VFIO written anew for Linux 6.12. The two commands:'
	@echo '  make run        a QEMU guest uses two devices through these modules'
	@echo '  make check      all tests, in virtual machines'
	@echo
	@echo 'Their parts, each usable alone; everything made lies below build/:'
	@echo '  make deps       install the Debian packages that are missing'
	@echo '  make modules    build/modules/*.ko for the newest installed 6.12 headers'
	@echo '  make tree       build/linux, the kernel tree with our files in it'
	@echo '  make kernel     build/kernel, the debug kernel of the tests'
	@echo '  make kunit      unit tests, on the debug kernel'
	@echo '  make test-modules  build/test-modules, modules that tests drive'
	@echo '  make selftests  kselftests, on the stock kernel and on the debug kernel'
	@echo '  make guests     tests with QEMU guests, on the stock kernel'
	@echo '  make bench      instructions that VFIO costs its users, beside stock modules'
	@echo '  make static     compilers, sparse, kernel-doc, checkpatch and the user ABI'
	@echo '  make compat     the base'"'"'s drivers of single PCI and mediated devices, built on ours'
	@echo '  make demo-display  what the sample displays show, as build/display/*.png'
	@echo '  make docs       the documents as HTML, without warnings'
	@echo '  make series     build/series/*.patch, the work as patches against the base'
	@echo '  make series-check  apply the series and build each of its steps (long)'
	@echo '  make mutants    remove guards one at a time and see a test fail (long)'
	@echo '  make clean      remove build/'
	@echo
	@echo 'KVER=6.12.x-amd64 picks other headers and the kernel that goes with them;'
	@echo 'JOBS=n limits how many compilers run at once.'

deps:
	@scripts/deps

modules:
	@scripts/deps run
	@scripts/modules

tree: deps
	@scripts/tree

kernel: tree
	@scripts/kernel

run: modules
	@scripts/run

kunit: kernel
	@scripts/check kunit

test-modules: modules kernel
	@scripts/test-modules

selftests: modules kernel test-modules
	@scripts/check selftests

guests: modules
	@scripts/check guests

check: modules kernel test-modules
	@scripts/check

bench: modules
	@scripts/bench

static: tree
	@scripts/static

demo-display: modules tree
	@scripts/check --build-selftests
	@scripts/demo-display

compat: tree
	@scripts/deps compat
	@scripts/compat

docs: tree
	@scripts/docs

series: tree
	@scripts/series

series-check: tree
	@scripts/series --check

mutants: modules kernel
	@scripts/mutants

clean:
	rm -rf build
