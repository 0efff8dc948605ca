// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and threads that open, close, bind, unbind, attach and map all at
 * once. What is checked is that every call fails or succeeds as it may, that
 * all of it ends, and that the device is whole afterwards; the kernel's own
 * checks find the rest.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

/* How long each race goes on. */
#define RACE_MS		4000

struct race {
	struct vfio_dev dev;
	__s64 end;
	char *buf;
	unsigned int me;
	char *bar;
	int efd;
	/* Calls that did what they should, so that a race cannot be all refusals. */
	unsigned long done;
};

static bool running(const struct race *r)
{
	return now_ms() < r->end;
}

FIXTURE(race)
{
	struct race race;
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(race)
{
	struct race *r = &self->race;
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&r->dev, ID_EDU, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	r->buf = pages(64 * PAGE);
	ASSERT_NE(NULL, r->buf);
	r->end = now_ms() + RACE_MS;
}

FIXTURE_TEARDOWN(race)
{
	struct race *r = &self->race;
	struct vfio_dev dev;

	vfio_dev_close(&r->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	/* The device still serves. */
	EXPECT_TRUE(UNTIL(!pci_bind_vfio(r->dev.name), WAIT_MS));
	ASSERT_EQ(0, vfio_dev_open(&dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, edu_start(dev.fd));
	vfio_dev_close(&dev);
}

/* --- processes ----------------------------------------------------------- */

static int opener(void *arg)
{
	struct race *r = arg;
	__u32 flags;
	int ret = 0;

	while (running(r)) {
		struct vfio_dev dev;
		char path[64];

		vfio_dev_init(&dev);
		dev.container = container_open();
		if (dev.container < 0)
			return 1;
		if (!group_open_path(r->dev.group_id, path, sizeof(path)))
			dev.group = group_open(r->dev.group_id);
		if (dev.group >= 0 &&
		    !group_set_container(dev.group, dev.container) &&
		    !vioctl_long(dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)) {
			group_status(dev.group, &flags);
			type1_map(dev.container, IOVA_BASE, r->buf, 8 * PAGE, MAP_RW);
			dev.fd = group_device(dev.group, r->dev.name);
			if (dev.fd >= 0 &&
			    (config_read(dev.fd, 0, 4) != 0x11e81234))
				ret = 2;
		}
		vfio_dev_close(&dev);
	}
	return ret;
}

static int binder(void *arg)
{
	struct race *r = arg;
	int rounds = 0;

	while (running(r) || rounds < 2) {
		int ret = pci_unbind(r->dev.name);

		/* The other one may have been quicker. */
		if (ret && ret != -ENODEV)
			return 1;
		pci_bind_vfio(r->dev.name);
		rounds++;
	}
	return 0;
}

TEST_F_TIMEOUT(race, C12_open_close_bind_unbind, 300)
{
	pid_t pids[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = spawn(i < 4 ? opener : binder, &self->race);
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		EXPECT_EQ(0, reap(pids[i], RACE_MS + WAIT_MS)) TH_LOG("process %u", i);
}

/* --- threads on one group ------------------------------------------------ */

static void run_threads(struct race *r, void *(*const *fns)(void *arg),
			unsigned int n, struct race *args)
{
	pthread_t threads[16];
	unsigned int i;

	for (i = 0; i < n; i++) {
		args[i] = *r;
		args[i].me = i;
		args[i].done = 0;
		pthread_create(&threads[i], NULL, fns[i], &args[i]);
	}
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void *attacher(void *arg)
{
	struct race *r = arg;
	int group = dup(r->dev.group);

	while (running(r)) {
		if (!group_set_container(group, r->dev.container)) {
			vioctl_long(r->dev.container, VFIO_SET_IOMMU,
				    VFIO_TYPE1v2_IOMMU);
			r->done++;
		}
		vioctl_long(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	}
	close(group);
	return NULL;
}

static void *device_opener(void *arg)
{
	struct race *r = arg;
	int group = dup(r->dev.group), fd;

	while (running(r)) {
		fd = group_device(group, r->dev.name);
		if (fd >= 0) {
			config_read(fd, 0, 4);
			close(fd);
			r->done++;
		}
	}
	close(group);
	return NULL;
}

static void *asker(void *arg)
{
	struct race *r = arg;
	__u32 flags;

	while (running(r)) {
		if (!group_status(r->dev.group, &flags))
			r->done++;
		vioctl_long(r->dev.container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
		type1_map(r->dev.container, IOVA_BASE, r->buf, PAGE, MAP_RW);
	}
	return NULL;
}

TEST_F_TIMEOUT(race, C03_container_set_unset_and_device_fds, 300)
{
	static void *(*const fns[])(void *arg) = {
		attacher, attacher, device_opener, device_opener, asker,
	};
	struct race *r = &self->race, args[5];

	r->dev.container = container_open();
	r->dev.group = group_open(r->dev.group_id);
	ASSERT_LE(0, r->dev.container);
	ASSERT_LE(0, r->dev.group);
	run_threads(r, fns, ARRAY_SIZE(fns), args);
	EXPECT_LT(0, args[0].done + args[1].done);
	EXPECT_LT(0, args[4].done);
}

/* --- threads on one container -------------------------------------------- */

static void *mapper(void *arg)
{
	struct race *r = arg;
	__u64 iova = IOVA_BASE + r->me * MIB, out;

	while (running(r)) {
		if (type1_map(r->dev.container, iova, r->buf, 16 * PAGE, MAP_RW))
			break;
		if (type1_map(r->dev.container, iova, r->buf, PAGE, MAP_RW) != -EEXIST)
			break;
		if (type1_unmap(r->dev.container, iova, 16 * PAGE, 0, &out) ||
		    out != 16 * PAGE)
			break;
		r->done++;
	}
	if (running(r))
		r->done = 0;
	return NULL;
}

TEST_F_TIMEOUT(race, maps_of_their_own_do_not_disturb_each_other, 300)
{
	static void *(*const fns[])(void *arg) = { mapper, mapper, mapper, mapper };
	struct race *r = &self->race, args[4];
	unsigned int i;

	ASSERT_EQ(0, vfio_dev_open(&r->dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	run_threads(r, fns, ARRAY_SIZE(fns), args);
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		EXPECT_LT(0, args[i].done);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

static void *grabber(void *arg)
{
	struct race *r = arg;
	unsigned int seed = r->me;
	__u64 iova;

	while (running(r)) {
		iova = IOVA_BASE + rand_r(&seed) % 32 * 4 * PAGE;
		if (!type1_map(r->dev.container, iova, r->buf,
			       (rand_r(&seed) % 8 + 1) * PAGE, MAP_RW))
			r->done++;
		type1_unmap(r->dev.container, IOVA_BASE + rand_r(&seed) % 32 * 4 * PAGE,
			    rand_r(&seed) % 64 * PAGE + PAGE, 0, NULL);
	}
	return NULL;
}

static void *sweeper(void *arg)
{
	struct race *r = arg;
	__u64 out;

	while (running(r)) {
		if (!type1_unmap(r->dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, &out))
			r->done++;
		free(type1_info(r->dev.container));
	}
	return NULL;
}

TEST_F_TIMEOUT(race, maps_and_unmaps_of_the_same_range, 300)
{
	static void *(*const fns[])(void *arg) = {
		grabber, grabber, grabber, sweeper,
	};
	struct race *r = &self->race, args[4];
	unsigned int i;

	ASSERT_EQ(0, vfio_dev_open(&r->dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	run_threads(r, fns, ARRAY_SIZE(fns), args);
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		EXPECT_LT(0, args[i].done);
	EXPECT_EQ(0, type1_unmap(r->dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

static void *unmapper_of_memory(void *arg)
{
	struct race *r = arg;

	while (running(r)) {
		if (mmap(r->buf, 64 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == r->buf)
			r->done++;
		munmap(r->buf + 32 * PAGE, 8 * PAGE);
	}
	return NULL;
}

/* The memory under a mapping changes while it is pinned. */
TEST_F_TIMEOUT(race, maps_of_memory_that_comes_and_goes, 300)
{
	static void *(*const fns[])(void *arg) = {
		grabber, unmapper_of_memory, sweeper,
	};
	struct race *r = &self->race, args[3];

	ASSERT_EQ(0, vfio_dev_open(&r->dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	run_threads(r, fns, ARRAY_SIZE(fns), args);
	EXPECT_LT(0, args[0].done);
	EXPECT_LT(0, args[1].done);
	EXPECT_EQ(0, type1_unmap(r->dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

/* --- threads on one device ----------------------------------------------- */

static void *irq_changer(void *arg)
{
	static const __u32 indexes[] = {
		VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX,
	};
	struct race *r = arg;
	unsigned int i = r->me;

	while (running(r)) {
		if (!irq_trigger_fd(r->dev.fd, indexes[i & 1], 0, r->efd))
			r->done++;
		irq_action(r->dev.fd, indexes[i & 1], VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1);
		irq_action(r->dev.fd, indexes[i & 1], VFIO_IRQ_SET_ACTION_UNMASK, 0, 1);
		irq_trigger_fd(r->dev.fd, indexes[i & 1], 0, -1);
		irq_disable(r->dev.fd, indexes[i & 1]);
		i++;
	}
	return NULL;
}

static void *intx_toggler(void *arg)
{
	struct race *r = arg;

	while (running(r)) {
		config_command(r->dev.fd, 0, PCI_COMMAND_INTX_DISABLE);
		config_command(r->dev.fd, PCI_COMMAND_INTX_DISABLE, 0);
		r->done++;
	}
	return NULL;
}

static void *irq_raiser(void *arg)
{
	struct race *r = arg;

	while (running(r)) {
		edu_write(r->dev.fd, EDU_REG_IRQ_RAISE, 1);
		if (!edu_write(r->dev.fd, EDU_REG_IRQ_ACK, ~0U))
			r->done++;
		event_read(r->efd);
	}
	return NULL;
}

static void *unmask_kicker(void *arg)
{
	struct race *r = arg;
	int efd;

	while (running(r)) {
		efd = event_new();
		if (!irq_unmask_fd(r->dev.fd, efd))
			r->done++;
		event_kick(efd);
		/* Closed with the kick still on its way. */
		close(efd);
	}
	return NULL;
}

TEST_F_TIMEOUT(race, P23_P34_interrupts_from_every_side, 300)
{
	static void *(*const fns[])(void *arg) = {
		irq_changer, irq_changer, intx_toggler, irq_raiser, unmask_kicker,
	};
	struct race *r = &self->race, args[5];
	unsigned int i;
	int efd;

	ASSERT_EQ(0, vfio_dev_open(&r->dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, edu_start(r->dev.fd));
	r->efd = event_new();
	run_threads(r, fns, ARRAY_SIZE(fns), args);
	for (i = 0; i < 4; i++)
		EXPECT_LT(0, args[i].done) TH_LOG("thread %u", i);
	/* Interrupts work as on the first day. */
	irq_disable(r->dev.fd, VFIO_PCI_INTX_IRQ_INDEX);
	irq_disable(r->dev.fd, VFIO_PCI_MSI_IRQ_INDEX);
	ASSERT_EQ(0, config_command(r->dev.fd, PCI_COMMAND_INTX_DISABLE, 0));
	ASSERT_EQ(0, edu_write(r->dev.fd, EDU_REG_IRQ_ACK, ~0U));
	efd = event_new();
	ASSERT_EQ(0, irq_trigger_fd(r->dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, efd));
	ASSERT_EQ(0, edu_write(r->dev.fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_EQ(1, event_wait(efd, WAIT_MS));
	ASSERT_EQ(0, edu_write(r->dev.fd, EDU_REG_IRQ_ACK, ~0U));
}

static void ignore_bus_error(int sig, siginfo_t *info, void *context)
{
	/* Ends the thread's touch: the page it wanted becomes plain memory. */
	mmap((void *)((uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1)), PAGE,
	     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void *bar_toucher(void *arg)
{
	struct race *r = arg;
	__u32 *bar;
	unsigned int i;

	while (running(r)) {
		bar = region_mmap(r->dev.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
		if (bar == MAP_FAILED)
			continue;
		for (i = 0; i < 64; i++)
			mmio_read(bar + i * PAGE / 4);
		munmap(bar, MIB);
		r->done++;
	}
	return NULL;
}

static void *memory_toggler(void *arg)
{
	struct race *r = arg;

	while (running(r)) {
		config_command(r->dev.fd, PCI_COMMAND_MEMORY, 0);
		config_command(r->dev.fd, 0, PCI_COMMAND_MEMORY);
		r->done++;
		/*
		 * Now and then is enough for the kernel. QEMU's emulator may
		 * die of a BAR that goes while another CPU uses memory of I/O.
		 */
		pause_ms(150);
	}
	return NULL;
}

static void *resetter(void *arg)
{
	struct race *r = arg;

	while (running(r)) {
		if (vioctl_long(r->dev.fd, VFIO_DEVICE_RESET, 0) != -ENOTTY)
			r->done++;
		pause_ms(500);
	}
	return NULL;
}

static void *bar_reader(void *arg)
{
	struct race *r = arg;
	char buf[64];

	while (running(r)) {
		region_read(r->dev.fd, 0, 0x100, buf, sizeof(buf));
		r->done++;
	}
	return NULL;
}

TEST_F_TIMEOUT(race, P07_P36_faults_reads_resets_and_memory_off, 300)
{
	static void *(*const fns[])(void *arg) = {
		bar_toucher, bar_toucher, memory_toggler, resetter, bar_reader,
	};
	struct sigaction act = {
		.sa_sigaction = ignore_bus_error,
		.sa_flags = SA_SIGINFO,
	};
	struct race *r = &self->race, args[5];
	unsigned int i;

	ASSERT_EQ(0, sigaction(SIGBUS, &act, NULL));
	ASSERT_EQ(0, vfio_dev_open(&r->dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, edu_start(r->dev.fd));
	run_threads(r, fns, ARRAY_SIZE(fns), args);
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		EXPECT_LT(0, args[i].done) TH_LOG("thread %u", i);
}

static pthread_barrier_t together;

static void *first_toucher(void *arg)
{
	struct race *r = arg;
	unsigned int i;

	pthread_barrier_wait(&together);
	for (i = 0; i < MIB / PAGE; i++)
		r->done += mmio_read(r->bar + i * PAGE) != 0;
	return NULL;
}

TEST_F_TIMEOUT(race, P06_many_threads_touch_a_fresh_mapping, 300)
{
	static void *(*const fns[])(void *arg) = {
		first_toucher, first_toucher, first_toucher, first_toucher,
	};
	struct race *r = &self->race, args[4];
	int round;

	ASSERT_EQ(0, vfio_dev_open(&r->dev, r->dev.name, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, edu_start(r->dev.fd));
	ASSERT_EQ(0, pthread_barrier_init(&together, NULL, ARRAY_SIZE(fns)));
	for (round = 0; round < 30; round++) {
		r->bar = region_mmap(r->dev.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, r->bar);
		run_threads(r, fns, ARRAY_SIZE(fns), args);
		EXPECT_LT(0, args[0].done);
		EXPECT_EQ(args[0].done, args[3].done);
		munmap(r->bar, MIB);
	}
}

TEST_HARNESS_MAIN
