// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts that come in masses, and vectors that are added while others interrupt. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define RACE_MS		3000
#define QUIET_MS	200

/* A line that goes up and down, and everybody who may mask it. */
FIXTURE(line)
{
	struct vfio_dev dev;
	int fd;
	int efd;
};

FIXTURE_SETUP(line)
{
	const char *why;

	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
	ASSERT_EQ(0, edu_start(self->fd));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
}

FIXTURE_TEARDOWN(line)
{
	edu_write(self->dev.fd, EDU_REG_IRQ_ACK, ~0U);
	vfio_dev_close(&self->dev);
}

struct worker {
	__s64 end;
	int fd;
	int efd;
	unsigned long done;
};

static bool going_on(const struct worker *w)
{
	return now_ms() < w->end || !w->done;
}

static void *raise_and_ack(void *arg)
{
	struct worker *w = arg;

	while (going_on(w)) {
		edu_write(w->fd, EDU_REG_IRQ_RAISE, 1);
		edu_write(w->fd, EDU_REG_IRQ_ACK, ~0U);
		w->done++;
	}
	return NULL;
}

static void *mask_and_unmask(void *arg)
{
	struct worker *w = arg;

	while (going_on(w)) {
		irq_action(w->fd, INTX, MASK, 0, 1);
		w->done += !irq_action(w->fd, INTX, UNMASK, 0, 1);
	}
	return NULL;
}

static void *disable_and_enable(void *arg)
{
	struct worker *w = arg;

	while (going_on(w)) {
		config_command(w->fd, 0, PCI_COMMAND_INTX_DISABLE);
		config_command(w->fd, PCI_COMMAND_INTX_DISABLE, 0);
		w->done++;
	}
	return NULL;
}

static void *kick_to_unmask(void *arg)
{
	struct worker *w = arg;

	while (going_on(w)) {
		w->done += !event_kick(w->efd);
		pause_ms(1);
	}
	return NULL;
}

TEST_F_TIMEOUT(line, masked_and_unmasked_under_a_storm, 300)
{
	static void *(*const work[])(void *) = {
		raise_and_ack, mask_and_unmask, disable_and_enable, kick_to_unmask,
	};
	struct worker workers[ARRAY_SIZE(work)];
	pthread_t threads[ARRAY_SIZE(work)];
	int unmask_fd = event_new();
	__s64 end = now_ms() + RACE_MS;
	unsigned long events = 0;
	unsigned int i;

	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	for (i = 0; i < ARRAY_SIZE(work); i++) {
		workers[i] = (struct worker) {
			.end = end,
			.fd = self->fd,
			.efd = unmask_fd,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work[i], &workers[i]));
	}
	while (now_ms() < end) {
		events += event_wait(self->efd, 10) > 0;
		irq_action(self->fd, INTX, UNMASK, 0, 1);
	}
	for (i = 0; i < ARRAY_SIZE(work); i++) {
		pthread_join(threads[i], NULL);
		EXPECT_LT(0, workers[i].done) TH_LOG("worker %u", i);
	}
	EXPECT_LT(0, events);
	/* When all is over the line does what it should: one event a raise. */
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_INTX_DISABLE, 0));
	ASSERT_EQ(0, irq_action(self->fd, INTX, UNMASK, 0, 1));
	while (event_wait(self->efd, QUIET_MS) > 0)
		irq_action(self->fd, INTX, UNMASK, 0, 1);
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
}

/* The line stays up: an event for each time it was let through, and no more. */
TEST_F_TIMEOUT(line, a_line_kept_high_signals_once_an_unmask, 300)
{
	unsigned long events, unmasks = 0;
	struct worker kicker = { .fd = self->fd, .efd = event_new() };
	pthread_t thread;

	ASSERT_EQ(0, irq_unmask_fd(self->fd, kicker.efd));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	events = event_wait(self->efd, WAIT_MS);
	EXPECT_EQ(1, events);
	kicker.end = now_ms() + RACE_MS;
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_to_unmask, &kicker));
	while (going_on(&kicker)) {
		unmasks += !irq_action(self->fd, INTX, UNMASK, 0, 1);
		events += event_wait(self->efd, 5);
	}
	pthread_join(thread, NULL);
	/* What is under way comes still. */
	while (event_wait(self->efd, QUIET_MS) > 0)
		events++;
	TH_LOG("%lu events, %lu unmasks, %lu kicks", events, unmasks, kicker.done);
	EXPECT_LT(1, events);
	EXPECT_GE(1 + unmasks + kicker.done, events);
}

TEST_F(line, masked_it_is_quiet_whatever_the_line_does)
{
	int i;

	ASSERT_EQ(0, irq_action(self->fd, INTX, MASK, 0, 1));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
	}
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, irq_action(self->fd, INTX, UNMASK, 0, 1));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
}

/*
 * igb interrupts by any of its ten vectors when it is told to: with GPIE's bit 4
 * a bit of EICS is a vector, if EIMS lets it through; EIAC clears it by itself.
 */
#define IGB_GPIE	0x1514
#define IGB_EICS	0x1520
#define IGB_EIMS	0x1524
#define IGB_EIAC	0x152c
#define IGB_VECTORS	10

FIXTURE(vectors)
{
	struct vfio_dev dev;
	int fd;
	int fds[IGB_VECTORS];
	bool fixed;
};

static int igb_write(int fd, unsigned int reg, __u32 value)
{
	return region_write(fd, 0, reg, &value, 4) == 4 ? 0 : -1;
}

/* Interrupts are thrown away while the bus may not be mastered. */
static int igb_start(int fd)
{
	return config_command(fd, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER) ||
	       igb_write(fd, IGB_GPIE, 1 << 4) ||
	       igb_write(fd, IGB_EIAC, (1 << IGB_VECTORS) - 1) ||
	       igb_write(fd, IGB_EIMS, (1 << IGB_VECTORS) - 1);
}

static bool interrupts(int fd, unsigned int vector, int efd)
{
	event_read(efd);
	return !igb_write(fd, IGB_EICS, 1U << vector) && event_wait(efd, WAIT_MS) > 0;
}

FIXTURE_SETUP(vectors)
{
	struct vfio_irq_info info;
	const char *why;
	int i;

	why = vfio_dev_get(&self->dev, ID_IGB, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	ASSERT_EQ(0, irq_info(self->fd, MSIX, &info));
	ASSERT_EQ(IGB_VECTORS, info.count);
	self->fixed = info.flags & VFIO_IRQ_INFO_NORESIZE;
	for (i = 0; i < IGB_VECTORS; i++)
		self->fds[i] = event_new();
	ASSERT_EQ(0, igb_start(self->fd));
}

FIXTURE_TEARDOWN(vectors)
{
	vfio_dev_close(&self->dev);
}

TEST_F(vectors, each_interrupts_by_its_own_eventfd)
{
	int i, j;

	ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, IGB_VECTORS, self->fds));
	for (i = 0; i < IGB_VECTORS; i++) {
		EXPECT_TRUE(interrupts(self->fd, i, self->fds[i])) TH_LOG("vector %d", i);
		for (j = 0; j < IGB_VECTORS; j++)
			EXPECT_EQ(0, event_read(self->fds[j]));
	}
}

TEST_F(vectors, are_added_one_after_the_other)
{
	static const int order[] = { 7, 2, 9, 1, 8, 3, 5, 4, 6 };
	unsigned int i, round;

	if (self->fixed)
		SKIP(return, "the machine's vectors cannot be added to");
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, self->fds[0]));
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, order[i],
						    self->fds[order[i]]));
			/* The new one works, and the first one still does. */
			EXPECT_TRUE(interrupts(self->fd, order[i], self->fds[order[i]]))
				TH_LOG("vector %d", order[i]);
			EXPECT_TRUE(interrupts(self->fd, 0, self->fds[0]));
		}
		/* Taken away and given back they work again. */
		for (i = 0; i < ARRAY_SIZE(order); i += 2)
			ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, order[i], -1));
		for (i = 0; i < ARRAY_SIZE(order); i += 2) {
			EXPECT_EQ(0, irq_action(self->fd, MSIX, TRIGGER, order[i], 1));
			EXPECT_EQ(0, event_read(self->fds[order[i]]));
			ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, order[i],
						    self->fds[order[i]]));
			EXPECT_TRUE(interrupts(self->fd, order[i], self->fds[order[i]]));
		}
		ASSERT_EQ(0, irq_disable(self->fd, MSIX));
	}
	/* Beyond the table there is none. */
	ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, self->fds[0]));
	EXPECT_EQ(-EINVAL, irq_trigger_fd(self->fd, MSIX, IGB_VECTORS, self->fds[1]));
	EXPECT_EQ(-EINVAL, irq_trigger_fds(self->fd, MSIX, 1, IGB_VECTORS, self->fds));
}

TEST_F(vectors, a_block_may_lie_half_inside_the_first_one)
{
	int fds[4] = { self->fds[2], self->fds[3], self->fds[4], self->fds[5] }, i;

	ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, 4, self->fds));
	EXPECT_EQ(self->fixed ? -EINVAL : 0, irq_trigger_fds(self->fd, MSIX, 2, 4, fds));
	if (!self->fixed)
		for (i = 0; i < 6; i++)
			EXPECT_TRUE(interrupts(self->fd, i, self->fds[i]));
	/* A bad descriptor in it takes the block down, and nothing else. */
	fds[2] = 9999;
	EXPECT_NE(0, irq_trigger_fds(self->fd, MSIX, 2, 4, fds));
	EXPECT_TRUE(interrupts(self->fd, 0, self->fds[0]));
	EXPECT_TRUE(interrupts(self->fd, 1, self->fds[1]));
	event_read(self->fds[2]);
	irq_action(self->fd, MSIX, TRIGGER, 2, 1);
	EXPECT_EQ(0, event_read(self->fds[2]));
}

static void *fire_all(void *arg)
{
	struct worker *w = arg;

	while (going_on(w)) {
		igb_write(w->fd, IGB_EICS, (1 << IGB_VECTORS) - 1);
		w->done++;
	}
	return NULL;
}

TEST_F_TIMEOUT(vectors, come_and_go_while_they_interrupt, 300)
{
	struct worker w = { .end = now_ms() + RACE_MS, .fd = self->fd };
	unsigned int rounds = 0, seen = 0, i;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, fire_all, &w));
	while (going_on(&w)) {
		ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0,
					     self->fixed ? IGB_VECTORS : 2, self->fds));
		for (i = 2; i < IGB_VECTORS; i++)
			ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, i, self->fds[i]));
		for (i = 0; i < IGB_VECTORS; i += 3)
			ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, i, -1));
		for (i = 0; i < IGB_VECTORS; i++)
			seen += event_read(self->fds[i]) > 0;
		ASSERT_EQ(0, irq_disable(self->fd, MSIX));
		rounds++;
	}
	pthread_join(thread, NULL);
	TH_LOG("%u rounds, %u vectors seen, %lu storms", rounds, seen, w.done);
	EXPECT_LT(0, rounds);
	EXPECT_LT(0, seen);
	for (i = 0; i < IGB_VECTORS; i++)
		event_read(self->fds[i]);
	/* Off is off. */
	ASSERT_EQ(0, igb_write(self->fd, IGB_EICS, (1 << IGB_VECTORS) - 1));
	for (i = 0; i < IGB_VECTORS; i++)
		EXPECT_EQ(0, event_wait(self->fds[i], 20));
	ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, IGB_VECTORS, self->fds));
	EXPECT_TRUE(interrupts(self->fd, 5, self->fds[5]));
}

/* Killed with all of it: descriptor, mapping, interrupts of a storm. */
static int hold(void *arg)
{
	struct worker w = { .end = now_ms() + WAIT_MS };
	struct vfio_dev *dev = arg, mine;
	int fds[IGB_VECTORS], i;
	char *bar;

	if (vfio_dev_open(&mine, dev->name, VFIO_TYPE1v2_IOMMU) || igb_start(mine.fd))
		return 1;
	for (i = 0; i < IGB_VECTORS; i++)
		fds[i] = event_new();
	bar = region_mmap(mine.fd, 0, 0, 0x20000, PROT_READ | PROT_WRITE);
	if (bar == MAP_FAILED || irq_trigger_fds(mine.fd, MSIX, 0, IGB_VECTORS, fds))
		return 2;
	kill(getppid(), SIGUSR1);
	w.fd = mine.fd;
	fire_all(&w);
	return 3;
}

static volatile sig_atomic_t ready;

static void is_ready(int sig)
{
	ready = 1;
}

TEST_F_TIMEOUT(vectors, unbind_ends_when_their_user_is_killed, 300)
{
	struct sigaction act = { .sa_handler = is_ready };
	pid_t holder, unbinder;
	int i;

	vfio_dev_close(&self->dev);
	sigaction(SIGUSR1, &act, NULL);
	for (i = 0; i < 3; i++) {
		ready = 0;
		holder = spawn(hold, &self->dev);
		ASSERT_TRUE(UNTIL(ready, WAIT_MS));
		unbinder = fork();
		if (!unbinder) {
			close_inherited();
			_exit(pci_unbind(self->dev.name) ? 1 : 0);
		}
		EXPECT_EQ(-ETIMEDOUT, reap(unbinder, 100));
		kill(holder, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(holder, WAIT_MS));
		EXPECT_EQ(0, reap(unbinder, WAIT_MS));
		ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
	}
}

TEST_HARNESS_MAIN
