// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel tells about a container: the rule that refused, and what is mapped. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

#define TRACING		"/sys/kernel/tracing"
#define START		VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP		VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define VADDR		VFIO_DMA_UNMAP_FLAG_VADDR
#define MSI_WINDOW	0xfee00000ULL

FIXTURE(why)
{
	struct vfio_dev dev;
	int container;
	char *buf;		/* 64 pages */
};

FIXTURE_SETUP(why)
{
	const char *why;

	if (access(TRACING "/events", F_OK) &&
	    system("mount -t tracefs none " TRACING " 2>/dev/null"))
		SKIP(return, "no tracefs");
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	if (file_write(TRACING "/events/vfio/enable", "1"))
		SKIP(return, "no trace events of VFIO");
	self->container = self->dev.container;
	self->buf = pages(64 * PAGE);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(why)
{
	file_write(TRACING "/events/vfio/enable", "0");
	vfio_dev_close(&self->dev);
	emu_unload();
}

/* Whether a line of a file has both; the file is looked at from its start. */
static bool line_has(const char *path, const char *one, const char *other)
{
	FILE *f = fopen(path, "r");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, one) && strstr(line, other);
	if (f)
		fclose(f);
	return found;
}

/* To open it that way is what clears it. */
static void trace_clear(void)
{
	close(open(TRACING "/trace", O_WRONLY | O_TRUNC));
}

static bool traced(const char *event, const char *text)
{
	bool found = line_has(TRACING "/trace", event, text);

	trace_clear();
	return found;
}

#define MAP(iova, vaddr, size)	type1_map(self->container, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size, flags) type1_unmap(self->container, iova, size, flags, NULL)

TEST_F(why, a_refused_map_names_its_rule)
{
	trace_clear();
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	EXPECT_TRUE(traced("vfio_map:", "ret=0"));
	EXPECT_EQ(-EINVAL, MAP(IOVA_BASE + 1, self->buf, PAGE));
	EXPECT_TRUE(traced("vfio_map:", "rule=alignment"));
	EXPECT_EQ(-EINVAL, MAP(IOVA_BASE, self->buf, 0));
	EXPECT_TRUE(traced("vfio_map:", "rule=empty"));
	EXPECT_EQ(-EINVAL, MAP(-PAGE, self->buf, 2 * PAGE));
	EXPECT_TRUE(traced("vfio_map:", "rule=wrap"));
	EXPECT_EQ(-EEXIST, MAP(IOVA_BASE + 3 * PAGE, self->buf, 2 * PAGE));
	EXPECT_TRUE(traced("vfio_map:", "rule=overlap"));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE + MIB, (char *)0xffff888000000000, PAGE));
	EXPECT_TRUE(traced("vfio_map:", "rule=kernel address"));
	munmap(self->buf + 8 * PAGE, PAGE);
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE + MIB, self->buf + 8 * PAGE, PAGE));
	EXPECT_TRUE(traced("vfio_map:", "rule=user memory"));
}

TEST_F(why, a_range_that_is_kept_free_is_named)
{
	trace_clear();
	EXPECT_EQ(-EINVAL, MAP(MSI_WINDOW, self->buf, PAGE));
	EXPECT_TRUE(line_has(TRACING "/trace", "vfio_range:", "MSI window 0xfee00000..0xfeefffff"));
	EXPECT_TRUE(traced("vfio_map:", "rule=iova range"));
	EXPECT_EQ(-EINVAL, MAP(1ULL << 62, self->buf, PAGE));
	EXPECT_TRUE(line_has(TRACING "/trace", "vfio_range:", "outside the aperture"));
	EXPECT_TRUE(traced("vfio_map:", "rule=iova range"));
	/* A query changes nothing and a map that is fine names no range. */
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, PAGE));
	EXPECT_FALSE(traced("vfio_range:", ""));
}

TEST_F(why, the_limit_of_locked_memory_is_named)
{
	ASSERT_TRUE(memlock_limit(vm_locked_kb() * KIB + 4 * PAGE));
	trace_clear();
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE, self->buf, 5 * PAGE));
	EXPECT_TRUE(traced("vfio_map:", "rule=RLIMIT_MEMLOCK"));
}

TEST_F(why, refused_unmaps_and_bitmaps_name_their_rules)
{
	__u64 bits[1];

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	trace_clear();
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, PAGE, 0));
	EXPECT_TRUE(traced("vfio_unmap:", "rule=bisects a mapping"));
	EXPECT_EQ(-EINVAL, type1_dirty_get(self->container, IOVA_BASE, 4 * PAGE, bits));
	EXPECT_TRUE(traced("vfio_dirty:", "rule=dirty tracking is off"));
	EXPECT_EQ(0, type1_dirty(self->container, START));
	EXPECT_TRUE(traced("vfio_dirty:", "start"));
	EXPECT_EQ(-EFAULT, type1_dirty_get(self->container, IOVA_BASE, 4 * PAGE, NULL));
	EXPECT_TRUE(traced("vfio_dirty:", "rule=user memory"));
	EXPECT_EQ(0, type1_dirty(self->container, STOP));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 4 * PAGE, VADDR));
	EXPECT_TRUE(traced("vfio_suspend:", "ret=0"));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, 4 * PAGE, VADDR));
	EXPECT_TRUE(traced("vfio_suspend:", "rule=address taken away"));
	EXPECT_EQ(0, type1_map(self->container, IOVA_BASE, self->buf, 4 * PAGE,
			       VFIO_DMA_MAP_FLAG_VADDR));
	EXPECT_TRUE(traced("vfio_resume:", "ret=0"));
	EXPECT_EQ(-EINVAL, type1_map(self->container, IOVA_BASE, self->buf, 4 * PAGE,
				     VFIO_DMA_MAP_FLAG_VADDR));
	EXPECT_TRUE(traced("vfio_resume:", "rule=has its address"));
}

TEST_F(why, fdinfo_lists_what_is_mapped)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->container);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, type1_map(self->container, IOVA_BASE + MIB, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_READ));
	EXPECT_TRUE(line_has(path, "vfio-type1-mappings:", "\t2 (0 busy, 0 suspended"));
	EXPECT_TRUE(line_has(path, "vfio-type1-pinned-pages:", "\t5\n"));
	EXPECT_TRUE(line_has(path, "vfio-type1-dirty-tracking:", "off"));
	EXPECT_TRUE(line_has(path, "vfio-type1-mapping:\t0x1000000-0x1003fff",
			     " rw charged=4 held=0\n"));
	EXPECT_TRUE(line_has(path, "vfio-type1-mapping:\t0x1100000-0x1100fff",
			     " r- charged=1 held=0\n"));
	ASSERT_EQ(0, type1_dirty(self->container, START));
	ASSERT_EQ(0, UNMAP(IOVA_BASE, 4 * PAGE, VADDR));
	EXPECT_TRUE(line_has(path, "vfio-type1-dirty-tracking:", "on, a group reaches everything"));
	EXPECT_TRUE(line_has(path, "0x1000000-0x1003fff", " dirty=0 suspended\n"));
}

/* A page for each of thousands of mappings, and the file is still whole. */
TEST_F(why, fdinfo_of_thousands_of_mappings)
{
	unsigned int i, lines = 0;
	char path[64], line[256];
	FILE *f;

	for (i = 0; i < 3000; i++)
		ASSERT_EQ(0, MAP(IOVA_BASE + i * 2 * PAGE, self->buf, PAGE));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->container);
	f = fopen(path, "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f))
		lines += !strncmp(line, "vfio-type1-mapping:", 19);
	fclose(f);
	EXPECT_EQ(3000, lines);
}

TEST_HARNESS_MAIN
