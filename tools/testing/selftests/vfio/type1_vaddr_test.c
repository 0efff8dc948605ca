// SPDX-License-Identifier: GPL-2.0-only
/* Memory handed over from one program to the next while devices go on. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

#define VADDR		VFIO_DMA_UNMAP_FLAG_VADDR
#define UNMAP_ALL	VFIO_DMA_UNMAP_FLAG_ALL
#define MAP_VADDR	VFIO_DMA_MAP_FLAG_VADDR
#define NPAGES		16
#define SIZE		(NPAGES * PAGE)

FIXTURE(vaddr)
{
	struct vfio_dev dev;
	int container;
	int fd;
	char *buf;		/* shared memory, SIZE bytes */
	char *again;		/* the same memory at another address */
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(vaddr)
{
	const char *why;
	int memory;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->container = self->dev.container;
	self->fd = self->dev.fd;
	ASSERT_EQ(0, edu_start(self->fd));

	memory = memfd_create("vfio", 0);
	ASSERT_LE(0, memory);
	ASSERT_EQ(0, ftruncate(memory, SIZE));
	self->buf = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	self->again = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	ASSERT_NE(MAP_FAILED, self->buf);
	ASSERT_NE(MAP_FAILED, self->again);
	close(memory);
	fill(self->buf, SIZE, 3);
}

FIXTURE_TEARDOWN(vaddr)
{
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	emu_unload();
}

#define MAP(iova, vaddr, size)	type1_map(self->container, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size, out)	type1_unmap(self->container, iova, size, 0, out)
#define SUSPEND(iova, size, out) type1_unmap(self->container, iova, size, VADDR, out)
#define RESUME(iova, vaddr, size) type1_map(self->container, iova, vaddr, size, MAP_VADDR)
#define CAN_UPDATE()		vioctl_long(self->container, VFIO_CHECK_EXTENSION,	\
					    VFIO_UPDATE_VADDR)

TEST_F(vaddr, devices_go_on_without_an_address)
{
	__u64 out;

	EXPECT_EQ(1, CAN_UPDATE());
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, SIZE));
	EXPECT_EQ(0, SUSPEND(IOVA_BASE, SIZE, &out));
	EXPECT_EQ(SIZE, out);
	EXPECT_EQ(self->locked + (long)(SIZE / KIB), vm_locked_kb());
	EXPECT_EQ(0, edu_copy(self->fd, IOVA_BASE + 4 * PAGE, IOVA_BASE, PAGE));
	EXPECT_EQ(0, memcmp(self->buf, self->buf + 4 * PAGE, PAGE));
	EXPECT_EQ(0, RESUME(IOVA_BASE, self->again, SIZE));
	EXPECT_EQ(self->locked + (long)(SIZE / KIB), vm_locked_kb());
	EXPECT_EQ(0, edu_copy(self->fd, IOVA_BASE + 6 * PAGE, IOVA_BASE + PAGE, PAGE));
	EXPECT_EQ(0, memcmp(self->again + PAGE, self->again + 6 * PAGE, PAGE));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, SIZE, &out));
	EXPECT_EQ(SIZE, out);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(vaddr, all_of_a_range_or_nothing)
{
	__u64 out = 1;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 8 * PAGE, self->buf + 8 * PAGE, 4 * PAGE));
	EXPECT_EQ(0, SUSPEND(IOVA_BASE + 4 * PAGE, 4 * PAGE, &out));
	EXPECT_EQ(0, out);
	EXPECT_EQ(0, SUSPEND(IOVA_BASE, 8 * PAGE, &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_EQ(-EINVAL, SUSPEND(IOVA_BASE, 16 * PAGE, &out));
	EXPECT_EQ(-EINVAL, SUSPEND(0, 0, &out));
	EXPECT_EQ(-EINVAL, type1_unmap(self->container, 0, 0, VADDR | UNMAP_ALL, &out));
	/* The second one kept its address. */
	EXPECT_EQ(-EINVAL, RESUME(IOVA_BASE + 8 * PAGE, self->buf, 4 * PAGE));
	EXPECT_EQ(0, RESUME(IOVA_BASE, self->buf, 4 * PAGE));
	EXPECT_EQ(0, type1_unmap(self->container, 0, 0, VADDR | UNMAP_ALL, &out));
	EXPECT_EQ(8 * PAGE, out);
	EXPECT_EQ(0, RESUME(IOVA_BASE, self->buf, 4 * PAGE));
	EXPECT_EQ(0, RESUME(IOVA_BASE + 8 * PAGE, self->buf + 8 * PAGE, 4 * PAGE));
	EXPECT_EQ(-EINVAL, RESUME(IOVA_BASE, self->buf, 4 * PAGE));
}

TEST_F(vaddr, what_is_refused)
{
	static const struct {
		__u64 iova;
		__u64 size;
	} ranges[] = {
		{ IOVA_BASE + 1, PAGE }, { IOVA_BASE, PAGE + 1 }, { IOVA_BASE, 0 },
		{ IOVA_BASE, PAGE }, { IOVA_BASE + PAGE, 3 * PAGE }, { -PAGE, 2 * PAGE },
		{ IOVA_BASE - PAGE, 2 * PAGE },
	};
	unsigned int i;
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		EXPECT_EQ(-EINVAL, SUSPEND(ranges[i].iova, ranges[i].size, &out));
	EXPECT_EQ(-EINVAL, type1_unmap(self->container, IOVA_BASE, 4 * PAGE,
				       VADDR | UNMAP_ALL, &out));
	EXPECT_EQ(-EINVAL, type1_unmap(self->container, IOVA_BASE, 4 * PAGE,
				       VADDR | VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, &out));
	EXPECT_EQ(-EINVAL, RESUME(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, SUSPEND(IOVA_BASE, 4 * PAGE, &out));
	EXPECT_EQ(-EINVAL, type1_map(self->container, IOVA_BASE, self->buf, 4 * PAGE,
				     MAP_VADDR | VFIO_DMA_MAP_FLAG_READ));
	EXPECT_EQ(-EINVAL, type1_map(self->container, IOVA_BASE, self->buf, 4 * PAGE,
				     MAP_VADDR | MAP_RW));
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		EXPECT_EQ(-EINVAL, RESUME(ranges[i].iova, self->buf, ranges[i].size));
	EXPECT_EQ(-EINVAL, RESUME(IOVA_BASE, self->buf + 1, 4 * PAGE));
	EXPECT_EQ(-ENOENT, RESUME(IOVA_BASE + 4 * PAGE, self->buf, 4 * PAGE));
	EXPECT_EQ(-EFAULT, RESUME(IOVA_BASE, (char *)0xffff888000000000, 4 * PAGE));
	EXPECT_EQ(0, RESUME(IOVA_BASE, self->buf, 4 * PAGE));
}

TEST_F(vaddr, nobody_joins_meanwhile)
{
	struct vfio_dev second;
	const char *why;

	why = vfio_dev_get(&second, ID_EDU, PCI_ALONE, 1, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, SIZE));
	ASSERT_EQ(0, SUSPEND(IOVA_BASE, SIZE, NULL));
	EXPECT_EQ(-EBUSY, vfio_dev_attach(&second, second.name, self->container));
	vfio_dev_close(&second);
	/* Mappings are made and go as ever, those without an address too. */
	EXPECT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, PAGE));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, SIZE, NULL));
	EXPECT_EQ(0, vfio_dev_attach(&second, second.name, self->container));
	vfio_dev_close(&second);
}

/* A driver's thread would wait for an address that never comes. */
TEST_F(vaddr, T07_emulated_devices_exclude_it)
{
	struct vfio_dev emu;
	const char *why;
	char data[8];

	why = emu_load(1);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, SIZE));
	ASSERT_EQ(0, SUSPEND(IOVA_BASE, SIZE, NULL));
	EXPECT_EQ(-EBUSY, emu_attach(&emu, 0, self->container));
	vfio_dev_close(&emu);
	/* From now on it is found at another place. */
	ASSERT_EQ(0, RESUME(IOVA_BASE, self->again, SIZE));
	munmap(self->buf, SIZE);
	ASSERT_EQ(0, emu_attach(&emu, 0, self->container));
	emu.fd = group_device(emu.group, emu.name);
	ASSERT_LE(0, emu.fd);
	EXPECT_EQ(0, CAN_UPDATE());
	EXPECT_EQ(-EBUSY, SUSPEND(IOVA_BASE, SIZE, NULL));
	EXPECT_EQ(-EBUSY, type1_unmap(self->container, 0, 0, VADDR | UNMAP_ALL, NULL));
	EXPECT_EQ(0, emu_rw(emu.fd, IOVA_BASE + PAGE, data, 8, 0));
	EXPECT_EQ(0, memcmp(self->again + PAGE, data, 8));
	EXPECT_EQ(1, emu_pin(emu.fd, IOVA_BASE, 1, VFIO_EMU_READ, NULL));
	EXPECT_EQ(1, emu_unpin(emu.fd, IOVA_BASE, 1, 0));
	vfio_dev_close(&emu);
	EXPECT_EQ(1, CAN_UPDATE());
	EXPECT_EQ(0, SUSPEND(IOVA_BASE, SIZE, NULL));
}

struct heir {
	int container;
	char *at;
	long parent_kb;
	pid_t parent;
};

static int take_over(void *arg)
{
	struct heir *h = arg;
	const long kb = SIZE / KIB;

	if (vm_locked_kb() != 0)
		return 1;
	if (type1_map(h->container, IOVA_BASE, h->at, SIZE, MAP_VADDR))
		return 2;
	if (vm_locked_kb() != kb || pid_locked_kb(h->parent) != h->parent_kb - kb)
		return 3;
	/* What comes back comes back to the one who pays now. */
	if (type1_unmap(h->container, IOVA_BASE, SIZE / 2, 0, NULL) != -EINVAL)
		return 4;
	if (type1_unmap(h->container, IOVA_BASE, SIZE, 0, NULL))
		return 5;
	return vm_locked_kb() == 0 && pid_locked_kb(h->parent) == h->parent_kb - kb ? 0 : 6;
}

TEST_F(vaddr, T06_the_charge_moves_with_the_address)
{
	struct heir h = { self->container, self->buf, 0, getpid() };

	ASSERT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, SIZE));
	ASSERT_EQ(0, SUSPEND(IOVA_BASE, SIZE, NULL));
	h.parent_kb = vm_locked_kb();
	EXPECT_EQ(0, reap(spawn(take_over, &h), WAIT_MS));
	EXPECT_EQ(h.parent_kb - (long)(SIZE / KIB), vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE + MIB, PAGE, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

static int cannot_pay(void *arg)
{
	struct heir *h = arg;

	if (!memlock_limit(SIZE - PAGE))
		return 1;
	if (type1_map(h->container, IOVA_BASE, h->at, SIZE, MAP_VADDR) != -ENOMEM)
		return 2;
	return vm_locked_kb() == 0 ? 0 : 3;
}

TEST_F(vaddr, T06_an_heir_that_cannot_pay_changes_nothing)
{
	struct heir h = { self->container, self->buf, 0, getpid() };

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, SIZE));
	ASSERT_EQ(0, SUSPEND(IOVA_BASE, SIZE, NULL));
	EXPECT_EQ(0, reap(spawn(cannot_pay, &h), WAIT_MS));
	EXPECT_EQ(self->locked + (long)(SIZE / KIB), vm_locked_kb());
	EXPECT_EQ(0, RESUME(IOVA_BASE, self->buf, SIZE));
	EXPECT_EQ(-EINVAL, RESUME(IOVA_BASE, self->buf, SIZE));
}

/* The old program is gone before the new one comes. */
static int map_and_die(void *arg)
{
	struct heir *h = arg;

	if (type1_map(h->container, IOVA_BASE, h->at, SIZE, MAP_RW))
		return 1;
	return type1_unmap(h->container, IOVA_BASE, SIZE, VADDR, NULL) ? 2 : 0;
}

TEST_F(vaddr, T06_the_old_program_may_be_gone)
{
	struct heir h = { self->container, self->buf, 0, getpid() };

	ASSERT_EQ(0, reap(spawn(map_and_die, &h), WAIT_MS));
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(0, edu_copy(self->fd, IOVA_BASE + PAGE, IOVA_BASE, PAGE));
	EXPECT_EQ(0, RESUME(IOVA_BASE, self->again, SIZE));
	EXPECT_EQ(self->locked + (long)(SIZE / KIB), vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE, SIZE, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

/* What a process that runs this program again does: see exec_over(). */
#define EXEC_ENV	"VFIO_TEST_RESUME"

static void __attribute__((constructor)) resume_after_exec(void)
{
	const char *fds = getenv(EXEC_ENV);
	int container, memory;
	char *at;

	if (!fds)
		return;
	if (sscanf(fds, "%d %d", &container, &memory) != 2)
		_exit(10);
	at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (at == MAP_FAILED || vm_locked_kb())
		_exit(11);
	if (type1_map(container, IOVA_BASE, at, SIZE, MAP_VADDR))
		_exit(12);
	if (vm_locked_kb() != SIZE / KIB)
		_exit(13);
	if (type1_unmap(container, IOVA_BASE, SIZE, 0, NULL))
		_exit(14);
	_exit(vm_locked_kb() ? 15 : 0);
}

static int exec_over(void *arg)
{
	char env[64], *argv[] = { "resume", NULL }, *envp[] = { env, NULL };
	int container = dup(*(int *)arg), memory = memfd_create("vfio", 0);
	char *at;

	if (ftruncate(memory, SIZE))
		return 1;
	at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (type1_map(container, IOVA_BASE, at, SIZE, MAP_RW) ||
	    type1_unmap(container, IOVA_BASE, SIZE, VADDR, NULL))
		return 2;
	snprintf(env, sizeof(env), EXEC_ENV "=%d %d", container, memory);
	execve("/proc/self/exe", argv, envp);
	return 3;
}

TEST_F(vaddr, T06_exec_in_between)
{
	EXPECT_EQ(0, reap(spawn(exec_over, &self->container), WAIT_MS));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_HARNESS_MAIN
