// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_bench: measures what VFIO costs its users, in ticks of the CPU's counter.
 *
 * In a virtual machine that counts instructions a tick is an instruction, so the
 * figures repeat whatever else the host does; scripts/bench runs it so, on the
 * stock modules and on ours, and puts the outcome side by side. On hardware they
 * are cycles, for which the machine must be quiet.
 *
 *   vfio_bench [-l] [-f] [WORK...]
 *
 * -l lists the works, -f measures the limits beside them too (vfio_floor.ko).
 * Needs an edu device of QEMU behind an IOMMU, and for some lines pci-testdev with
 * a BAR of 512 MiB, e1000e and vfio_emu.ko. Prints comma separated lines:
 *
 *   sample,KEY,SAMPLES,MEDIAN,LEAST,MOST
 *   missing,KEY,WHY
 *   note,KEY,TEXT
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/utsname.h>

#include "bench.h"

#define MAX_LINES	128
#define MAX_SAMPLES	32

struct line {
	const char *key;
	unsigned int samples;
	double values[MAX_SAMPLES];
	const char *missing;
};

static struct line lines[MAX_LINES];
static unsigned int nr_lines;
static bool is_warm;

_Noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "vfio_bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

static struct line *find_line(const char *key)
{
	unsigned int i;

	for (i = 0; i < nr_lines; i++)
		if (!strcmp(lines[i].key, key))
			return &lines[i];
	if (nr_lines == MAX_LINES)
		die("more than %u lines", MAX_LINES);
	lines[nr_lines].key = strdup(key);
	return &lines[nr_lines++];
}

void sample(const char *key, double value)
{
	struct line *line = find_line(key);

	if (!is_warm)
		return;
	if (line->samples == MAX_SAMPLES)
		die("%s: more than %u samples", key, MAX_SAMPLES);
	line->values[line->samples++] = value;
}

void missing(const char *key, const char *why)
{
	find_line(key)->missing = strdup(why);
}

void remark(const char *key, const char *format, ...)
{
	va_list args;

	printf("note,%s,", key);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_line(struct line *line)
{
	unsigned int n = line->samples;

	if (line->missing) {
		printf("missing,%s,%s\n", line->key, line->missing);
		return;
	}
	if (!n)
		return;
	qsort(line->values, n, sizeof(line->values[0]), by_value);
	printf("sample,%s,%u,%.2f,%.2f,%.2f\n", line->key, n,
	       line->values[n / 2], line->values[0], line->values[n - 1]);
}

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static void run_work(const struct work *work)
{
	unsigned int i, from = nr_lines;

	for (i = 0; i <= work->repetitions; i++) {
		is_warm = i > 0;
		work->run();
	}
	for (i = from; i < nr_lines; i++)
		print_line(&lines[i]);
	fflush(stdout);
}

static void remark_module(const char *name)
{
	unsigned char notes[64];
	char path[128], id[64] = "";
	unsigned int i;
	size_t got = 0;
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/module/%s/notes/.note.gnu.build-id", name);
	f = fopen(path, "r");
	if (f) {
		got = fread(notes, 1, sizeof(notes), f);
		fclose(f);
	}
	for (i = 16; i < got && i < 36; i++)
		snprintf(id + strlen(id), sizeof(id) - strlen(id), "%02x", notes[i]);
	remark(name, "%s", id);
}

static void remark_machine(void)
{
	struct utsname name;
	double rate = ticks_per_instruction();

	uname(&name);
	remark("kernel", "%s", name.release);
	remark("ticks_per_instruction", "%.3f", rate);
	remark("unit", "%s", rate > 0.99 && rate < 1.01 ? "instructions" : "cycles");
	remark_module("vfio");
	remark_module("vfio_iommu_type1");
	remark_module("vfio_pci_core");
}

int main(int argc, char **argv)
{
	const struct work *sets[] = {
		map_works, device_works, register_works, count_works, blocked_works,
		NULL, NULL,
	};
	const struct work **set, *work;
	bool is_list = false;
	int option;

	while ((option = getopt(argc, argv, "fl")) != -1) {
		if (option == '?')
			die("usage: vfio_bench [-l] [-f] [WORK...]");
		if (option == 'f')
			sets[5] = floor_works;
		if (option == 'l')
			is_list = true;
	}
	if (!is_list && vfio_load())
		die("vfio-pci cannot be loaded");
	if (!is_list)
		remark_machine();
	for (set = sets; *set; set++) {
		for (work = *set; work->name; work++) {
			if (is_list)
				printf("%s\n", work->name);
			else if (is_wanted(work->name, argv + optind))
				run_work(work);
		}
	}
	if (!is_list)
		remark("finished", "yes");
	return 0;
}
