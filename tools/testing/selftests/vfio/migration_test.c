// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every device that migrates must do, tried on any of them:
 *
 *	migration_test [DEVICE [OTHER]] [OPTION...]
 *
 * DEVICE and OTHER are names as on the bus, such as 0000:01:00.0 or a UUID: two
 * alike, both bound to their driver and not in use. State goes from the first
 * to the second. Without names, two cards of the sample mtty are made.
 *
 * Tests that need to know the device find it in kinds[] below, by the name of
 * its driver: how to change its state, which bytes of its regions a migration
 * carries, and whether its streams can be told from broken ones. To test a
 * driver of your own, add a line there; without one those tests are skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define S(state)	VFIO_DEVICE_STATE_##state
#define STATES		(S(PRE_COPY_P2P) + 1)
#define NO_WAY		1000
#define STREAM_MAX	(16 * MIB)
/* Longer streams are cut and spoilt at some places only. */
#define EVERYWHERE_MAX	1024
#define PLACES		64

/* --- What is known of devices -------------------------------------------- */

/* Bytes of a region that a migration carries; reading them changes nothing. */
struct range {
	unsigned int region;
	unsigned int offset;
	unsigned int len;
	unsigned int width;
};

struct kind {
	const char *driver;
	/* Gives it a state that differs with @seed; while it is RUNNING. */
	void (*stir)(int fd, unsigned int seed);
	/* Whether it is as stir() left it, also what range cannot tell. */
	bool (*is_stirred)(int fd, unsigned int seed);
	/* A stream that was cut off or made longer is refused. */
	bool checks_length;
	struct range ranges[12];
};

#define BAR(n)	(VFIO_PCI_BAR0_REGION_INDEX + (n))
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

static void put8(int fd, unsigned int bar, unsigned int reg, __u8 value)
{
	region_write(fd, BAR(bar), reg, &value, 1);
}

static __u8 get8(int fd, unsigned int bar, unsigned int reg)
{
	__u8 value = 0xff;

	region_read(fd, BAR(bar), reg, &value, 1);
	return value;
}

/* Bytes in flight, baud rate, modem lines and interrupts, other at each port. */
static void mtty_stir(int fd, unsigned int seed)
{
	unsigned int port, i;

	config_write(fd, PCI_COMMAND, PCI_COMMAND_IO | (seed & 1 ? PCI_COMMAND_MASTER : 0), 2);
	config_write(fd, PCI_INTERRUPT_LINE, seed, 1);
	for (port = 0; port < 2; port++, seed += 7) {
		put8(fd, port, 3, 0x83);		/* divisor behind 0 and 1 */
		put8(fd, port, 0, seed);
		put8(fd, port, 1, seed >> 8);
		put8(fd, port, 3, 0x03);
		put8(fd, port, 2, 0x07);		/* FIFO on, empty */
		put8(fd, port, 1, seed & 0x0f);
		put8(fd, port, 4, seed & 0x1f);
		put8(fd, port, 7, ~seed);
		for (i = 0; i < 1 + seed % 16; i++)
			put8(fd, port, 0, seed * 31 + i * 113);
	}
}

static bool mtty_is_stirred(int fd, unsigned int seed)
{
	unsigned int port, i;
	bool ok = true;

	for (port = 0; port < 2; port++, seed += 7) {
		for (i = 0; i < 1 + seed % 16; i++)
			ok &= get8(fd, port, 0) == (__u8)(seed * 31 + i * 113);
		ok &= !(get8(fd, port, 5) & 1);
		put8(fd, port, 3, 0x83);
		ok &= get8(fd, port, 0) == (__u8)seed;
		ok &= get8(fd, port, 1) == (__u8)(seed >> 8);
		put8(fd, port, 3, 0x03);
	}
	return ok;
}

/* Computes, has interrupts pending, and knows where it would copy from and to. */
static void edu_stir(int fd, unsigned int seed)
{
	__u64 address = 0x1000 * (__u64)seed;

	config_command(fd, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	edu_write(fd, EDU_REG_STATUS, 0);
	edu_write(fd, EDU_REG_FACTORIAL, seed % 40);
	if (!UNTIL(!(edu_read(fd, EDU_REG_STATUS) & 1), WAIT_MS))
		return;
	edu_write(fd, EDU_REG_STATUS, seed & 1 ? 0x80 : 0);
	edu_write(fd, EDU_REG_LIVENESS, seed * 2654435761U);
	edu_write(fd, EDU_REG_IRQ_ACK, ~0U);
	edu_write(fd, EDU_REG_IRQ_RAISE, seed % 5 ? seed : 0);
	region_write(fd, BAR(0), 0x80, &address, 8);
	address = ~address;
	region_write(fd, BAR(0), 0x88, &address, 8);
	region_write(fd, BAR(0), 0x90, &address, 8);
}

static bool edu_is_stirred(int fd, unsigned int seed)
{
	return edu_read(fd, EDU_REG_LIVENESS) == ~(seed * 2654435761U);
}

static const struct kind kinds[] = {
	{
		.driver = "mtty",
		.stir = mtty_stir,
		.is_stirred = mtty_is_stirred,
		.checks_length = true,
		.ranges = {
			{ CONFIG, PCI_COMMAND, 2, 2 },
			{ CONFIG, PCI_INTERRUPT_LINE, 1, 1 },
			{ CONFIG, PCI_BASE_ADDRESS_0, 24, 4 },
			{ BAR(0), 1, 1, 1 }, { BAR(0), 3, 2, 1 },
			{ BAR(0), 7, 1, 1 },
			{ BAR(1), 1, 1, 1 }, { BAR(1), 3, 2, 1 },
			{ BAR(1), 7, 1, 1 },
		},
	},
	{
		.driver = "edu-vfio-pci",
		.stir = edu_stir,
		.is_stirred = edu_is_stirred,
		.checks_length = true,
		.ranges = {
			{ BAR(0), EDU_REG_LIVENESS, 8, 4 },
			{ BAR(0), EDU_REG_STATUS, 8, 4 },
			{ BAR(0), 0x80, 24, 8 },
		},
	},
};

static const char *names[2];

static const struct kind *kind_of(const char *name)
{
	char driver[64] = "";
	unsigned int i;

	mig_driver(name, driver, sizeof(driver));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].driver, driver))
			return &kinds[i];
	return NULL;
}

/* Puts all that is to be compared into @buf. */
static size_t snapshot(int fd, const struct kind *kind, __u8 *buf)
{
	const struct range *range;
	unsigned int at;
	size_t len = 0;

	for (range = kind->ranges; range->len; range++)
		for (at = 0; at < range->len; at += range->width, len += range->width)
			region_read(fd, range->region, range->offset + at,
				    buf + len, range->width);
	return len;
}

/* --- The machine of states, as <linux/vfio.h> describes it --------------- */

struct arc {
	__u8 from, to;
	__u8 needs, without;
};

#define P2P	VFIO_MIGRATION_P2P
#define PRE	VFIO_MIGRATION_PRE_COPY

static const struct arc arcs[] = {
	{ S(RESUMING), S(STOP) }, { S(STOP), S(RESUMING) },
	{ S(STOP), S(STOP_COPY) }, { S(STOP_COPY), S(STOP) },
	{ S(RUNNING), S(STOP), 0, P2P }, { S(STOP), S(RUNNING), 0, P2P },
	{ S(RUNNING), S(RUNNING_P2P), P2P }, { S(RUNNING_P2P), S(RUNNING), P2P },
	{ S(RUNNING_P2P), S(STOP), P2P }, { S(STOP), S(RUNNING_P2P), P2P },
	{ S(RUNNING), S(PRE_COPY), PRE }, { S(PRE_COPY), S(RUNNING), PRE },
	{ S(PRE_COPY), S(STOP_COPY), PRE, P2P },
	{ S(PRE_COPY), S(PRE_COPY_P2P), PRE | P2P },
	{ S(PRE_COPY_P2P), S(PRE_COPY), PRE | P2P },
	{ S(PRE_COPY_P2P), S(RUNNING_P2P), PRE | P2P },
	{ S(RUNNING_P2P), S(PRE_COPY_P2P), PRE | P2P },
	{ S(PRE_COPY_P2P), S(STOP_COPY), PRE | P2P },
};

static bool exists(__u32 state, __u64 flags)
{
	switch (state) {
	case S(STOP):
	case S(RUNNING):
	case S(STOP_COPY):
	case S(RESUMING):
		return true;
	case S(RUNNING_P2P):
		return flags & P2P;
	case S(PRE_COPY):
		return flags & PRE;
	case S(PRE_COPY_P2P):
		return (flags & (PRE | P2P)) == (PRE | P2P);
	default:
		return false;
	}
}

static bool saves(__u32 state)
{
	return state == S(STOP_COPY) || state == S(PRE_COPY) ||
	       state == S(PRE_COPY_P2P);
}

static bool has_arc(const struct arc *arc, __u64 flags)
{
	return (flags & arc->needs) == arc->needs && !(flags & arc->without) &&
	       exists(arc->from, flags) && exists(arc->to, flags);
}

static bool is_reachable(__u32 from, __u32 to, __u64 flags)
{
	bool seen[STATES] = {};
	unsigned int round, i;

	if (!exists(to, flags))
		return false;
	/* A session that was stopped does not become one that runs. */
	if (from == S(STOP_COPY) && (to == S(PRE_COPY) || to == S(PRE_COPY_P2P)))
		return false;
	seen[from] = true;
	for (round = 0; round < STATES; round++)
		for (i = 0; i < ARRAY_SIZE(arcs); i++)
			if (seen[arcs[i].from] && has_arc(&arcs[i], flags))
				seen[arcs[i].to] = true;
	return seen[to];
}

/* Whether arriving opens a session: not where one goes on. */
static bool opens_file(__u32 from, __u32 to)
{
	if (from == to)
		return false;
	if (to == S(RESUMING))
		return true;
	if (to == S(STOP_COPY))
		return from != S(PRE_COPY) && from != S(PRE_COPY_P2P);
	return saves(to) && !saves(from);
}

/* --- The device under test ----------------------------------------------- */

FIXTURE(migration)
{
	struct vfio_dev a, b;
	const struct kind *kind;
	__u64 flags;
	/* What STOP_COPY of a fresh @a gives: valid for RESUMING. */
	__u8 *stream;
	size_t size;
	bool made;
};

#define UUID_A	"5e1f7e57-0000-4000-8000-00000000aaaa"
#define UUID_B	"5e1f7e57-0000-4000-8000-00000000bbbb"

static const char *make_mtty(void)
{
	if (access("/sys/class/mdev_bus/mtty", F_OK) &&
	    system("modprobe -q mtty"))
		return "the sample mtty cannot be loaded";
	mdev_remove(UUID_A);
	mdev_remove(UUID_B);
	if (mdev_create("mtty/mtty-2", UUID_A) ||
	    mdev_create("mtty/mtty-2", UUID_B))
		return "two mtty cards cannot be made";
	return NULL;
}

static int dev_reset(int fd)
{
	return vioctl(fd, VFIO_DEVICE_RESET, NULL);
}

/* A reset may take long: only where nothing else leads there. */
static int run_again(int fd)
{
	int data;

	return mig_set(fd, S(RUNNING), &data) ? dev_reset(fd) : 0;
}

/* All of its state, as one stream; it is RUNNING before and after. */
static ssize_t save(int fd, __u8 *stream, size_t step)
{
	int data, ret;
	ssize_t size;

	ret = mig_set(fd, S(STOP_COPY), &data);
	if (ret)
		return ret;
	size = mig_drain(data, stream, STREAM_MAX, step);
	close(data);
	ret = mig_set(fd, S(RUNNING), &data);
	return ret ? ret : size;
}

static int restore(int fd, const __u8 *stream, size_t size, size_t step)
{
	int data, ret;

	ret = mig_set(fd, S(RESUMING), &data);
	if (ret)
		return ret;
	ret = mig_feed(data, stream, size, step);
	close(data);
	return ret ? ret : mig_set(fd, S(RUNNING), &data);
}

FIXTURE_SETUP(migration)
{
	const char *why;
	ssize_t size;

	self->a.fd = -1;
	self->b.fd = -1;
	vfio_load();
	if (!names[0]) {
		why = make_mtty();
		if (why)
			SKIP(return, "%s", why);
		names[0] = UUID_A;
		names[1] = UUID_B;
		self->made = true;
	}
	ASSERT_EQ(0, mig_open(&self->a, names[0]));
	if (names[1])
		ASSERT_EQ(0, mig_open(&self->b, names[1]));
	self->kind = kind_of(names[0]);
	self->flags = mig_flags(self->a.fd);
	ASSERT_NE(0, self->flags & VFIO_MIGRATION_STOP_COPY)
		TH_LOG("%s does not migrate", names[0]);
	self->stream = malloc(STREAM_MAX);
	size = save(self->a.fd, self->stream, MIB);
	ASSERT_LT(0, size);
	self->size = size;
}

FIXTURE_TEARDOWN(migration)
{
	if (self->a.fd >= 0)
		vfio_dev_close(&self->a);
	if (self->b.fd >= 0)
		vfio_dev_close(&self->b);
	free(self->stream);
	if (self->made) {
		mdev_remove(UUID_A);
		mdev_remove(UUID_B);
	}
}

/* Gets there from RUNNING; what is restored there is whole already. */
static int enter(FIXTURE_DATA(migration) *self, __u32 state)
{
	int data, ret;

	ret = mig_set(self->a.fd, state, &data);
	if (ret)
		return ret;
	if (state == S(RESUMING))
		ret = mig_feed(data, self->stream, self->size, self->size);
	return ret ? ret : data;
}

/* --- Features ------------------------------------------------------------ */

TEST_F(migration, features_check_their_arguments)
{
	static const struct {
		__u32 feature, size;
		bool can_set;
	} features[] = {
		{ VFIO_DEVICE_FEATURE_MIGRATION, 8 },
		{ VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, 8, true },
		{ VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, 8 },
	};
	struct vfio_device_feature *edge;
	__u64 value[4] = {};
	unsigned int i;
	__u32 f;

	EXPECT_EQ(0, self->flags & ~(__u64)(VFIO_MIGRATION_STOP_COPY | P2P | PRE));
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		f = features[i].feature;
		EXPECT_EQ(0, device_feature(self->a.fd, VFIO_DEVICE_FEATURE_PROBE |
					    VFIO_DEVICE_FEATURE_GET | f, value, 8));
		EXPECT_EQ(features[i].can_set ? 0 : -EINVAL,
			  device_feature(self->a.fd, VFIO_DEVICE_FEATURE_PROBE |
					 VFIO_DEVICE_FEATURE_SET | f, value, 8));
		EXPECT_EQ(-EINVAL, device_feature(self->a.fd,
						  VFIO_DEVICE_FEATURE_GET | f, value, 7));
		EXPECT_EQ(0, device_feature(self->a.fd, VFIO_DEVICE_FEATURE_GET | f,
					    value, 8));
		EXPECT_EQ(0, device_feature(self->a.fd, VFIO_DEVICE_FEATURE_GET | f,
					    value, 24));
		EXPECT_EQ(-EINVAL, device_feature(self->a.fd, f, value, 8));
		EXPECT_EQ(-EINVAL, device_feature(self->a.fd,
						  VFIO_DEVICE_FEATURE_GET |
						  VFIO_DEVICE_FEATURE_SET | f,
						  value, 8));
		edge = before_hole(sizeof(*edge));
		edge->argsz = sizeof(*edge) + 8;
		edge->flags = VFIO_DEVICE_FEATURE_GET | f;
		EXPECT_EQ(-EFAULT, vioctl(self->a.fd, VFIO_DEVICE_FEATURE, edge));
	}
	EXPECT_EQ(-EINVAL, device_feature(self->a.fd, VFIO_DEVICE_FEATURE_SET |
					  VFIO_DEVICE_FEATURE_MIGRATION, value, 8));
}

TEST_F(migration, data_size_holds_what_comes)
{
	__u64 size = 0;

	EXPECT_EQ(0, device_feature(self->a.fd, VFIO_DEVICE_FEATURE_GET |
				    VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &size, 8));
	/* An estimate, but one that a monitor plans its downtime by. */
	EXPECT_LE(self->size, size);
}

/* --- States -------------------------------------------------------------- */

TEST_F(migration, a_device_begins_running)
{
	EXPECT_EQ(S(RUNNING), mig_state(self->a.fd));
	ASSERT_EQ(0, dev_reset(self->a.fd));
	EXPECT_EQ(S(RUNNING), mig_state(self->a.fd));
}

TEST_F_TIMEOUT(migration, G01_every_state_from_every_other, 600)
{
	static const __u32 far[] = { STATES, 31, 0x7fffffff, 0x80000000, ~0U };
	__u32 from, to, n;
	int first, data;

	for (from = 0; from < STATES; from++) {
		for (n = 0; n < STATES + 5 && exists(from, self->flags); n++) {
			to = n < STATES ? n : far[n - STATES];
			ASSERT_EQ(0, run_again(self->a.fd));
			first = enter(self, from);
			ASSERT_LE(-1, first);
			ASSERT_EQ(from, mig_state(self->a.fd));

			if (is_reachable(from, to, self->flags)) {
				EXPECT_EQ(0, mig_set(self->a.fd, to, &data))
					TH_LOG("%u to %u", from, to);
				EXPECT_EQ(opens_file(from, to), data >= 0)
					TH_LOG("%u to %u: %d", from, to, data);
				EXPECT_EQ(to, mig_state(self->a.fd))
					TH_LOG("%u to %u", from, to);
			} else {
				EXPECT_EQ(-EINVAL, mig_set(self->a.fd, to, &data))
					TH_LOG("%u to %u", from, to);
				EXPECT_EQ(-1, data);
				EXPECT_EQ(from, mig_state(self->a.fd))
					TH_LOG("%u to %u", from, to);
			}
			if (data >= 0) {
				EXPECT_EQ(FD_CLOEXEC, fcntl(data, F_GETFD));
				close(data);
			}
			if (first >= 0)
				close(first);
		}
	}
	ASSERT_EQ(0, dev_reset(self->a.fd));
}

TEST_F(migration, a_state_that_cannot_be_told_leaves_no_file)
{
	struct {
		struct vfio_device_feature head;
		struct vfio_device_feature_mig_state mig;
	} set = {
		.head.argsz = sizeof(set),
		.head.flags = VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
		.mig.device_state = S(STOP_COPY),
	};
	int spare = dup(0), again;

	close(spare);
	EXPECT_EQ(-EFAULT, vioctl(self->a.fd, VFIO_DEVICE_FEATURE,
				  read_only(&set, sizeof(set))));
	again = dup(0);
	EXPECT_EQ(spare, again);
	close(again);
	ASSERT_EQ(0, dev_reset(self->a.fd));
	EXPECT_EQ(S(RUNNING), mig_state(self->a.fd));
}

TEST_F(migration, G05_no_descriptor_left)
{
	static const __u32 states[] = { S(STOP_COPY), S(PRE_COPY), S(RESUMING) };
	struct rlimit old, tight;
	unsigned int i;
	int data, next;

	next = dup(0);
	close(next);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	tight = old;
	tight.rlim_cur = next;
	for (i = 0; i < 3; i++) {
		if (!exists(states[i], self->flags))
			continue;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &tight));
		EXPECT_EQ(-EMFILE, mig_set(self->a.fd, states[i], &data));
		EXPECT_EQ(-1, data);
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
		ASSERT_EQ(0, dev_reset(self->a.fd));
		data = enter(self, states[i]);
		EXPECT_LE(0, data);
		close(data);
		ASSERT_EQ(0, dev_reset(self->a.fd));
	}
}

/* --- Data files ---------------------------------------------------------- */

/* A device that is stopped says the same however it is asked. */
TEST_F(migration, G12_steps_of_any_size_give_one_stream)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 4095, 4096, 4097, 65536 };
	__u8 *again = malloc(STREAM_MAX);
	unsigned int i;
	ssize_t size;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		/* Byte by byte only where that ends today. */
		if (self->size / steps[i] > 100000)
			continue;
		size = save(self->a.fd, again, steps[i]);
		EXPECT_EQ(self->size, size) TH_LOG("by %zu", steps[i]);
		if (self->kind && self->kind->checks_length)
			EXPECT_EQ(0, memcmp(again, self->stream, self->size));
		EXPECT_EQ(0, restore(self->a.fd, self->stream, self->size,
				     steps[i])) TH_LOG("by %zu", steps[i]);
	}
	free(again);
}

TEST_F(migration, data_files_are_streams)
{
	struct vfio_precopy_info info;
	char byte = 0;
	int data;

	data = enter(self, S(STOP_COPY));
	ASSERT_LE(0, data);
	EXPECT_EQ(-1, lseek(data, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(data, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(data, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, read(data, before_hole(0), 1));
	EXPECT_EQ(EFAULT, errno);
	/* What could not be read is still there. */
	EXPECT_EQ(self->size, mig_drain(data, self->stream, STREAM_MAX, 4096));
	EXPECT_EQ(0, read(data, &byte, 1));
	EXPECT_EQ(0, read(data, &byte, 1));
	EXPECT_GT(0, mig_precopy_info(data, &info));
	close(data);

	ASSERT_EQ(0, dev_reset(self->a.fd));
	ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &data));
	ASSERT_LE(0, data);
	EXPECT_EQ(-1, pwrite(data, &byte, 1, 1 << 20));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, read(data, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, write(data, before_hole(0), 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, mig_feed(data, self->stream, self->size, 4096));
	close(data);
	EXPECT_EQ(0, mig_set(self->a.fd, S(RUNNING), &data));
}

/* Whichever way a session ends, who kept its file reaches nothing by it. */
TEST_F(migration, G04_a_session_that_is_over_gives_nothing)
{
	static const __u32 states[] = { S(STOP_COPY), S(PRE_COPY), S(RESUMING) };
	struct vfio_precopy_info info;
	unsigned int i, way;
	char bytes[16];
	int data, other;
	ssize_t got;

	for (i = 0; i < 3; i++) {
		for (way = 0; way < 3 && exists(states[i], self->flags); way++) {
			data = enter(self, states[i]);
			ASSERT_LE(0, data);
			if (way == 0)
				ASSERT_EQ(0, dev_reset(self->a.fd));
			if (way == 1)
				ASSERT_EQ(0, mig_set(self->a.fd, S(RUNNING), &other));
			if (way == 2) {
				vfio_dev_close(&self->a);
				ASSERT_EQ(0, mig_open(&self->a, names[0]));
			}
			EXPECT_EQ(S(RUNNING), mig_state(self->a.fd));
			got = states[i] == S(RESUMING) ?
			      write(data, bytes, sizeof(bytes)) :
			      read(data, bytes, sizeof(bytes));
			EXPECT_GE(states[i] == S(RESUMING) ? -1 : 0, got);
			EXPECT_GT(0, mig_precopy_info(data, &info));
			close(data);
		}
	}
}

TEST_F(migration, poll_tells_what_can_be_done)
{
	int data, other;

	data = enter(self, S(STOP_COPY));
	ASSERT_LE(0, data);
	if (!(poll_now(data, POLLIN, 0) & POLLIN))
		SKIP(goto out, "this driver's files are not for poll()");
	mig_drain(data, self->stream, STREAM_MAX, 4096);
	/* The end can be read, too. */
	EXPECT_EQ(POLLIN, poll_now(data, POLLIN | POLLOUT, 0) & (POLLIN | POLLOUT));
	ASSERT_EQ(0, dev_reset(self->a.fd));
	EXPECT_NE(0, poll_now(data, POLLIN, 0) & (POLLERR | POLLHUP));
	close(data);

	ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &data));
	EXPECT_EQ(POLLOUT, poll_now(data, POLLIN | POLLOUT, 0));
out:
	close(data);
	ASSERT_EQ(0, dev_reset(self->a.fd));
	EXPECT_EQ(0, mig_set(self->a.fd, S(RUNNING), &other));
}

struct poller {
	int fd;
	int events;
};

static void *poll_in_thread(void *arg)
{
	struct poller *poller = arg;

	poller->events = poll_now(poller->fd, POLLIN, WAIT_MS);
	return NULL;
}

TEST_F(migration, G07_the_end_of_a_session_wakes_who_waits)
{
	struct poller poller;
	char bytes[4096];
	pthread_t thread;
	int data, other;

	if (!exists(S(PRE_COPY), self->flags))
		SKIP(return, "no PRE_COPY: nobody waits for data");
	data = enter(self, S(PRE_COPY));
	ASSERT_LE(0, data);
	while (poll_now(data, POLLIN, 0) & POLLIN)
		if (read(data, bytes, sizeof(bytes)) <= 0)
			break;
	poller.fd = data;
	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_in_thread, &poller));
	pause_ms(20);
	EXPECT_EQ(0, mig_set(self->a.fd, S(RUNNING), &other));
	pthread_join(thread, NULL);
	EXPECT_NE(0, poller.events);
	close(data);
}

/* --- Saving and restoring ------------------------------------------------ */

TEST_F(migration, a_second_device_becomes_the_first)
{
	__u8 before[256], after[256];
	unsigned int seed;
	ssize_t size;
	size_t len;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	if (self->b.fd < 0)
		SKIP(return, "there is no second device");
	for (seed = 0x1234; seed < 0x1240; seed++) {
		/* It has a state of its own, nothing of which is left. */
		self->kind->stir(self->b.fd, ~seed);
		self->kind->stir(self->a.fd, seed);
		len = snapshot(self->a.fd, self->kind, before);
		size = save(self->a.fd, self->stream, 1 + seed % 61);
		ASSERT_LT(0, size);
		ASSERT_EQ(0, restore(self->b.fd, self->stream, size,
				     1 + seed % 13));
		EXPECT_EQ(len, snapshot(self->b.fd, self->kind, after));
		EXPECT_EQ(0, memcmp(before, after, len)) TH_LOG("seed %#x", seed);
		EXPECT_TRUE(self->kind->is_stirred(self->b.fd, seed))
			TH_LOG("seed %#x", seed);
		/* And the source, should it go on after all. */
		EXPECT_TRUE(self->kind->is_stirred(self->a.fd, seed));
	}
}

/* mtty alone: a byte sent to oneself, with the interrupt that tells of it on. */
static void mtty_ask(int fd)
{
	put8(fd, 0, 3, 0x03);
	put8(fd, 0, 1, 0x01);
	put8(fd, 0, 0, 'x');
}

TEST_F(migration, interrupts_arrive_where_the_device_is_now)
{
	int event = event_new(), unmask = event_new(), round;
	ssize_t size;

	if (self->b.fd < 0)
		SKIP(return, "there is no second device");
	if (!self->kind || self->kind->stir != mtty_stir)
		SKIP(return, "for mtty alone");
	mtty_ask(self->a.fd);
	size = save(self->a.fd, self->stream, 4096);
	ASSERT_LT(0, size);
	ASSERT_EQ(0, irq_trigger_fd(self->b.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, event));
	ASSERT_EQ(0, irq_unmask_fd(self->b.fd, unmask));
	ASSERT_EQ(0, restore(self->b.fd, self->stream, size, 4096));
	/* That of before is made good, and more come. */
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(1, event_wait(event, WAIT_MS));
		EXPECT_EQ('x', get8(self->b.fd, 0, 0));
		event_kick(unmask);
		ASSERT_TRUE(UNTIL(event_read(unmask) <= 0, WAIT_MS));
		mtty_ask(self->b.fd);
	}
	close(event);
	close(unmask);
}

/* Reads while something is there; drivers may block when nothing is. */
static ssize_t read_precopy(int data, __u8 *buf, size_t size)
{
	struct vfio_precopy_info info;
	size_t done = 0;
	ssize_t got;
	int ret;

	for (;;) {
		ret = mig_precopy_info(data, &info);
		if (ret)
			return ret;
		if (!info.initial_bytes && !info.dirty_bytes)
			return done;
		got = read(data, buf + done, size - done < 37 ? size - done : 37);
		if (got <= 0)
			return got < 0 && errno == ENOMSG ? (ssize_t)done : -EIO;
		done += got;
	}
}

TEST_F(migration, G06_precopy_info_tells_what_is_left)
{
	struct vfio_precopy_info info, *edge;
	int data, other;

	if (!exists(S(PRE_COPY), self->flags))
		SKIP(return, "no PRE_COPY");
	data = enter(self, S(PRE_COPY));
	ASSERT_LE(0, data);
	ASSERT_EQ(0, mig_precopy_info(data, &info));
	EXPECT_LT(0, info.initial_bytes);
	info.argsz = sizeof(info) - 1;
	EXPECT_EQ(-EINVAL, vioctl(data, VFIO_MIG_GET_PRECOPY_INFO, &info));
	info.argsz = sizeof(info) + 64;
	EXPECT_EQ(0, vioctl(data, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(-ENOTTY, vioctl(data, VFIO_DEVICE_RESET, NULL));
	edge = before_hole(4);
	edge->argsz = sizeof(info);
	EXPECT_EQ(-EFAULT, vioctl(data, VFIO_MIG_GET_PRECOPY_INFO, edge));
	info.argsz = sizeof(info);
	EXPECT_EQ(-EFAULT, vioctl(data, VFIO_MIG_GET_PRECOPY_INFO,
				  read_only(&info, sizeof(info))));

	ASSERT_LT(0, read_precopy(data, self->stream, STREAM_MAX));
	ASSERT_EQ(0, mig_precopy_info(data, &info));
	EXPECT_EQ(0, info.initial_bytes);
	if (self->kind) {
		self->kind->stir(self->a.fd, 0x77);
		ASSERT_EQ(0, mig_precopy_info(data, &info));
		EXPECT_EQ(0, info.initial_bytes);
		EXPECT_LT(0, info.dirty_bytes);
	}

	/* The session goes on, with what the state before had of it. */
	EXPECT_EQ(0, mig_set(self->a.fd, S(STOP_COPY), &other));
	EXPECT_EQ(-1, other);
	EXPECT_EQ(-EINVAL, mig_precopy_info(data, &info));
	EXPECT_LT(0, mig_drain(data, self->stream, STREAM_MAX, 4096));
	close(data);
	EXPECT_EQ(0, mig_set(self->a.fd, S(RUNNING), &other));
}

TEST_F(migration, a_device_that_runs_on_is_carried_as_it_was_last)
{
	__u8 before[256], after[256], *at = self->stream;
	unsigned int round;
	int data, other;
	ssize_t got;
	size_t len;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	if (self->b.fd < 0)
		SKIP(return, "there is no second device");
	if (!exists(S(PRE_COPY), self->flags))
		SKIP(return, "no PRE_COPY");
	data = enter(self, S(PRE_COPY));
	ASSERT_LE(0, data);
	for (round = 0; round < 20; round++) {
		self->kind->stir(self->a.fd, 0x200 + round);
		/* Some rounds leave a part unread. */
		got = round % 3 ? read_precopy(data, at, MIB) :
		      read(data, at, 100);
		ASSERT_LT(0, got);
		at += got;
	}
	self->kind->stir(self->a.fd, 0x300);
	len = snapshot(self->a.fd, self->kind, before);
	ASSERT_EQ(0, mig_set(self->a.fd, S(STOP_COPY), &other));
	got = mig_drain(data, at, STREAM_MAX - (at - self->stream), 100);
	ASSERT_LT(0, got);
	close(data);
	ASSERT_EQ(0, restore(self->b.fd, self->stream, at + got - self->stream,
			     17));
	EXPECT_EQ(len, snapshot(self->b.fd, self->kind, after));
	EXPECT_EQ(0, memcmp(before, after, len));
	EXPECT_TRUE(self->kind->is_stirred(self->b.fd, 0x300));
}

struct mover {
	int fd;
	bool stop;
};

static void *stop_and_go(void *arg)
{
	struct mover *mover = arg;
	int data;

	while (!peek(&mover->stop)) {
		if (mig_set(mover->fd, S(STOP_COPY), &data))
			return (void *)"it does not stop";
		close(data);
		if (mig_set(mover->fd, S(RUNNING), &data))
			return (void *)"it does not go on";
	}
	return NULL;
}

/* edu alone: the driver turns its memory on for a while, which is not for users. */
TEST_F(migration, memory_that_is_off_is_not_mapped_while_state_is_saved)
{
	struct mover mover = { .fd = self->a.fd };
	void *complaint = NULL;
	unsigned int seen = 0;
	pthread_t thread;
	__s64 end;
	void *bar;

	if (!self->kind || self->kind->stir != edu_stir)
		SKIP(return, "for edu alone");
	bar = region_mmap(self->a.fd, BAR(0), 0, PAGE, PROT_READ);
	ASSERT_NE(MAP_FAILED, bar);
	touch_init();
	ASSERT_EQ(0, config_command(self->a.fd, PCI_COMMAND_MEMORY, 0));
	ASSERT_EQ(SIGBUS, touched(bar));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stop_and_go, &mover));
	for (end = now_ms() + 1000; now_ms() < end;)
		seen += !touched(bar);
	poke(&mover.stop, true);
	pthread_join(thread, &complaint);
	EXPECT_TRUE(!complaint) TH_LOG("%s", complaint ? (char *)complaint : "");
	EXPECT_EQ(0, seen);
	EXPECT_EQ(0, config_read(self->a.fd, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	munmap(bar, PAGE);
}

/* edu alone: what it was told to write is there, and nothing is written later. */
TEST_F(migration, a_transfer_is_over_before_the_device_keeps_off_the_bus)
{
	__u8 *from = pages(2 * PAGE), *to = from + PAGE;
	int fd = self->a.fd, other;

	if (!self->kind || self->kind->stir != edu_stir)
		SKIP(return, "for edu alone");
	memset(from, 0x5a, PAGE);
	memset(to, 0, PAGE);
	ASSERT_EQ(0, type1_map(self->a.container, IOVA_BASE, from, 2 * PAGE, MAP_RW));
	ASSERT_EQ(0, edu_start(fd));
	ASSERT_EQ(0, edu_load(fd, IOVA_BASE, PAGE));
	ASSERT_EQ(0, edu_dma_begin(fd, IOVA_BASE + PAGE, 0, PAGE, true));
	ASSERT_EQ(0, mig_set(fd, S(RUNNING_P2P), &other));
	EXPECT_EQ(0, memcmp(from, to, PAGE));

	memset(to, 0, PAGE);
	ASSERT_EQ(0, edu_store(fd, IOVA_BASE + PAGE, PAGE));
	EXPECT_EQ(0, to[0]);
	ASSERT_EQ(0, mig_set(fd, S(RUNNING), &other));
	ASSERT_EQ(0, edu_store(fd, IOVA_BASE + PAGE, PAGE));
	EXPECT_EQ(0, memcmp(from, to, PAGE));
}

struct stopper {
	int fd;
	int begun;
};

static void *keep_off_the_bus(void *arg)
{
	struct stopper *stopper = arg;
	int data;

	event_kick(stopper->begun);
	return mig_set(stopper->fd, S(RUNNING_P2P), &data) ?
	       (void *)"it does not stop" : NULL;
}

/*
 * edu alone: while its driver waits for a transfer it has the memory on that the
 * user had turned off, and the user turns it on.
 */
TEST_F(migration, a_command_written_while_the_device_stops_is_not_lost)
{
	struct stopper stopper = { self->a.fd, event_new() };
	int fd = self->a.fd, other;
	void *complaint = NULL;
	unsigned int round;
	pthread_t thread;

	if (!self->kind || self->kind->stir != edu_stir)
		SKIP(return, "for edu alone");
	ASSERT_EQ(0, type1_map(self->a.container, IOVA_BASE, pages(PAGE), PAGE, MAP_RW));
	for (round = 0; round < 4; round++) {
		ASSERT_EQ(0, edu_start(fd));
		ASSERT_EQ(0, edu_dma_begin(fd, IOVA_BASE, 0, PAGE, false));
		ASSERT_EQ(0, config_command(fd, PCI_COMMAND_MEMORY, 0));
		ASSERT_EQ(0, pthread_create(&thread, NULL, keep_off_the_bus, &stopper));
		ASSERT_EQ(1, event_wait(stopper.begun, WAIT_MS));
		/* A transfer takes 100 ms; too early or late is right, too. */
		pause_ms(10 + 20 * round);
		EXPECT_EQ(0, config_command(fd, 0, PCI_COMMAND_MEMORY));
		pthread_join(thread, &complaint);
		EXPECT_TRUE(!complaint) TH_LOG("%s", complaint ? (char *)complaint : "");
		EXPECT_EQ(0x010000ed, edu_read(fd, EDU_REG_ID)) TH_LOG("round %u", round);
		ASSERT_EQ(0, mig_set(fd, S(RUNNING), &other));
	}
	close(stopper.begun);
}

struct failing_reader {
	int fd;
	bool stop;
};

static void *read_to_nowhere(void *arg)
{
	struct failing_reader *reader = arg;
	void *nowhere = before_hole(0);

	while (!peek(&reader->stop))
		if (read(reader->fd, nowhere, 4096) >= 0 ||
		    (errno != EFAULT && errno != ENOMSG))
			return (void *)"a read that cannot succeed did not fail so";
	return NULL;
}

/* What is not read is there for the next reader, and takes no room without end. */
TEST_F(migration, reads_that_fail_while_the_device_changes_lose_nothing)
{
	__u8 before[256], after[256];
	struct failing_reader reader = {};
	unsigned int seed = 0x400;
	void *complaint = NULL;
	pthread_t thread;
	__s64 end;
	ssize_t got;
	size_t len;
	int other;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	if (self->b.fd < 0)
		SKIP(return, "there is no second device");
	if (!exists(S(PRE_COPY), self->flags))
		SKIP(return, "no PRE_COPY: nothing changes");
	reader.fd = enter(self, S(PRE_COPY));
	ASSERT_LE(0, reader.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_to_nowhere, &reader));
	for (end = now_ms() + 500; now_ms() < end; seed++)
		self->kind->stir(self->a.fd, seed);
	poke(&reader.stop, true);
	pthread_join(thread, &complaint);
	EXPECT_TRUE(!complaint) TH_LOG("%s", complaint ? (char *)complaint : "");
	len = snapshot(self->a.fd, self->kind, before);
	ASSERT_EQ(0, mig_set(self->a.fd, S(STOP_COPY), &other));
	got = mig_drain(reader.fd, self->stream, STREAM_MAX, 100);
	ASSERT_LT(0, got);
	close(reader.fd);
	ASSERT_EQ(0, restore(self->b.fd, self->stream, got, 4096));
	EXPECT_EQ(len, snapshot(self->b.fd, self->kind, after));
	EXPECT_EQ(0, memcmp(before, after, len));
}

TEST_F(migration, saving_that_was_given_up_leaves_the_device_as_it_was)
{
	int data, other;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	self->kind->stir(self->a.fd, 0x99);
	data = enter(self, exists(S(PRE_COPY), self->flags) ? S(PRE_COPY) :
							     S(STOP_COPY));
	ASSERT_LE(0, data);
	EXPECT_LT(0, read(data, self->stream, 10));
	ASSERT_EQ(0, mig_set(self->a.fd, S(RUNNING), &other));
	close(data);
	EXPECT_TRUE(self->kind->is_stirred(self->a.fd, 0x99));
}

/* --- Streams that are not what they should be ---------------------------- */

static size_t next_place(size_t at, size_t size)
{
	return at + (size <= EVERYWHERE_MAX ? 1 : 1 + size / PLACES);
}

/* It was refused: ERROR, which only a reset leads out of. */
static void expect_error(struct __test_metadata *_metadata, int fd, size_t at)
{
	int data;

	EXPECT_EQ(S(ERROR), mig_state(fd)) TH_LOG("at %zu", at);
	EXPECT_EQ(-EINVAL, mig_set(fd, S(RUNNING), &data));
	EXPECT_EQ(-EINVAL, mig_set(fd, S(ERROR), &data));
	EXPECT_EQ(0, dev_reset(fd));
	EXPECT_EQ(S(RUNNING), mig_state(fd));
}

TEST_F_TIMEOUT(migration, a_stream_cut_off_is_refused, 600)
{
	size_t len;
	int data;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	if (!self->kind->checks_length)
		SKIP(return, "this driver's streams have no end");
	for (len = 0; len < self->size; len = next_place(len, self->size)) {
		ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &data));
		EXPECT_EQ(0, mig_feed(data, self->stream, len, 64));
		EXPECT_GT(0, mig_set(self->a.fd, S(STOP), &(int){ 0 }))
			TH_LOG("of %zu bytes", len);
		close(data);
		expect_error(_metadata, self->a.fd, len);
	}
}

TEST_F_TIMEOUT(migration, a_stream_too_long_is_refused, 600)
{
	size_t more;
	int data;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	if (!self->kind->checks_length)
		SKIP(return, "this driver's streams have no end");
	for (more = 1; more < 20000; more *= 3) {
		memset(self->stream + self->size, more, more);
		ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &data));
		mig_feed(data, self->stream, self->size + more, 997);
		EXPECT_GT(0, mig_set(self->a.fd, S(STOP), &(int){ 0 }))
			TH_LOG("%zu bytes too long", more);
		close(data);
		expect_error(_metadata, self->a.fd, more);
	}
}

/* Some bytes may be any; then the device runs, and a reset heals it. */
TEST_F_TIMEOUT(migration, a_stream_spoilt_anywhere_is_refused_or_harmless, 600)
{
	static const __u8 flips[] = { 0x01, 0x80, 0xff };
	unsigned int i, refused = 0;
	__u8 bytes[256];
	size_t at;
	int data;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	for (at = 0; at < self->size; at = next_place(at, self->size)) {
		for (i = 0; i < sizeof(flips); i++) {
			ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &data));
			self->stream[at] ^= flips[i];
			mig_feed(data, self->stream, self->size, 4096);
			self->stream[at] ^= flips[i];
			if (mig_set(self->a.fd, S(RUNNING), &(int){ 0 })) {
				refused++;
				expect_error(_metadata, self->a.fd, at);
			}
			close(data);
			snapshot(self->a.fd, self->kind, bytes);
		}
	}
	/* Whose it is must be known, at least. */
	EXPECT_LT(0, refused);
	ASSERT_EQ(0, restore(self->a.fd, self->stream, self->size, 4096));
}

TEST_F_TIMEOUT(migration, a_stream_of_noise_is_refused, 600)
{
	unsigned int round;
	int data;

	if (!self->kind)
		SKIP(return, "nothing is known of this driver");
	srandom(4711);
	for (round = 0; round < 80; round++) {
		size_t i, size = random() % 9000;

		for (i = 0; i < size; i++)
			self->stream[i] = random() >> 7;
		/* Some look like a record of a likely length. */
		if (size > 8 && round % 2)
			memset(self->stream + 5, 0, 3);
		ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &data));
		mig_feed(data, self->stream, size, 1 + random() % 5000);
		EXPECT_GT(0, mig_set(self->a.fd, S(STOP), &(int){ 0 }));
		close(data);
		expect_error(_metadata, self->a.fd, round);
	}
}

/* --- Many at once -------------------------------------------------------- */

struct writers {
	int fd;
	const __u8 *bytes;
	size_t size;
	bool *stop;
};

static void *write_in_thread(void *arg)
{
	struct writers *w = arg;
	size_t at = 0;

	while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED)) {
		size_t len = 1 + at % 4099;

		if (len > w->size)
			len = w->size;
		if (write(w->fd, w->bytes, len) < 0 && errno != EINVAL)
			break;
		pwrite(w->fd, w->bytes, len, (off_t)1 << (at % 63));
		lseek(w->fd, (off_t)1 << (at % 63), SEEK_SET);
		at += 613;
	}
	return NULL;
}

TEST_F(migration, G02_G03_many_writers_of_one_file)
{
	pthread_t threads[4];
	struct writers w = { .bytes = self->stream, .size = self->size };
	unsigned int round, i;
	bool stop;
	int other;

	w.stop = &stop;
	for (round = 0; round < 20; round++) {
		stop = false;
		ASSERT_EQ(0, mig_set(self->a.fd, S(RESUMING), &w.fd));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    write_in_thread, &w));
		pause_ms(5);
		mig_set(self->a.fd, S(STOP), &other);
		stop = true;
		for (i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		close(w.fd);
		ASSERT_EQ(0, dev_reset(self->a.fd));
		EXPECT_EQ(S(RUNNING), mig_state(self->a.fd));
	}
}

struct storm {
	int fd;
	unsigned int seed;
	__s64 end;
};

static void *storm_of_states(void *arg)
{
	struct storm *storm = arg;
	struct vfio_precopy_info info;
	char bytes[300] = {};
	int data;

	while (now_ms() < storm->end) {
		if (rand_r(&storm->seed) % 8 == 0)
			dev_reset(storm->fd);
		mig_set(storm->fd, rand_r(&storm->seed) % STATES, &data);
		if (data < 0)
			continue;
		read(data, bytes, rand_r(&storm->seed) % sizeof(bytes));
		write(data, bytes, rand_r(&storm->seed) % sizeof(bytes));
		mig_precopy_info(data, &info);
		close(data);
	}
	return NULL;
}

TEST_F(migration, G08_G09_states_resets_and_files_at_once)
{
	struct storm storms[4];
	pthread_t threads[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		storms[i] = (struct storm){ self->a.fd, i, now_ms() + 1000 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, storm_of_states,
					    &storms[i]));
	}
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ASSERT_EQ(0, dev_reset(self->a.fd));
	EXPECT_EQ(S(RUNNING), mig_state(self->a.fd));
	EXPECT_EQ(0, restore(self->a.fd, self->stream, self->size, 4096));
}

/* --- Logging of DMA ------------------------------------------------------ */

static int log_start(int fd, __u64 page_size, unsigned int count,
		     struct vfio_device_feature_dma_logging_range *ranges)
{
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = page_size,
		.num_ranges = count,
		.ranges = (uintptr_t)ranges,
	};

	return device_feature(fd, VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control,
			      sizeof(control));
}

static int log_stop(int fd)
{
	return device_feature(fd, VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0);
}

static int log_report(int fd, __u64 iova, __u64 length, __u64 page_size,
		      __u64 *bitmap)
{
	struct vfio_device_feature_dma_logging_report report = {
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.bitmap = (uintptr_t)bitmap,
	};

	return device_feature(fd, VFIO_DEVICE_FEATURE_GET |
			      VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report,
			      sizeof(report));
}

static bool logs_dma(int fd)
{
	return !device_feature(fd, VFIO_DEVICE_FEATURE_PROBE |
			       VFIO_DEVICE_FEATURE_SET |
			       VFIO_DEVICE_FEATURE_DMA_LOGGING_START, NULL, 0);
}

TEST_F(migration, logging_checks_its_ranges)
{
	static const struct {
		__u64 page_size;
		unsigned int count;
		struct vfio_device_feature_dma_logging_range ranges[2];
		int ret;
	} cases[] = {
		{ 0, 1, { { 0, 65536 } }, -EINVAL },
		{ 3 * 4096, 1, { { 0, 3 * 65536 } }, -EINVAL },
		{ 4096, 0, {}, -EINVAL },
		{ 4096, 1, { { 0, 0 } }, -EINVAL },
		{ 4096, 1, { { 1, 4096 } }, -EINVAL },
		{ 4096, 1, { { 0, 4097 } }, -EINVAL },
		{ 4096, 2, { { 0, 8192 }, { 4096, 8192 } }, -EINVAL },
		{ 4096, 1, { { -4096ULL, 8192 } }, -EOVERFLOW },
		{ 4096, PAGE / 16 + 1, {}, -E2BIG },
		{ 4096, 2, { { 0, 8192 }, { 8192, 8192 } }, 0 },
	};
	unsigned int i;
	int ret;

	if (!logs_dma(self->a.fd))
		SKIP(return, "the device or the kernel logs no DMA");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = log_start(self->a.fd, cases[i].page_size, cases[i].count,
				(void *)cases[i].ranges);
		EXPECT_EQ(cases[i].ret, ret) TH_LOG("case %u", i);
		if (!ret)
			EXPECT_EQ(0, log_stop(self->a.fd));
	}
	EXPECT_EQ(-EFAULT, log_start(self->a.fd, 4096, 1, before_hole(0)));
}

TEST_F(migration, logging_reports_nothing_that_was_not_written)
{
	struct vfio_device_feature_dma_logging_range range = { 0, 64 * MIB };
	__u64 *bitmap = pages(64 * MIB / 4096 / 8);
	__u64 word = 0;
	unsigned int i;

	if (!logs_dma(self->a.fd))
		SKIP(return, "the device or the kernel logs no DMA");
	EXPECT_GT(0, log_report(self->a.fd, 0, 65536, 4096, &word));
	ASSERT_EQ(0, log_start(self->a.fd, 4096, 1, &range));
	EXPECT_GT(0, log_start(self->a.fd, 4096, 1, &range));
	EXPECT_EQ(0, log_report(self->a.fd, 0, 64 * MIB, 4096, bitmap));
	for (i = 0; i < 64 * MIB / 4096 / 64; i++)
		EXPECT_EQ(0, bitmap[i]);
	/* Bits are added to what the user has. */
	word = 1ULL << 63;
	EXPECT_EQ(0, log_report(self->a.fd, 0, 64 * 4096, 4096, &word));
	EXPECT_EQ(1ULL << 63, word);
	EXPECT_EQ(-EINVAL, log_report(self->a.fd, 0, 65536, 2048, &word));
	EXPECT_EQ(-EINVAL, log_report(self->a.fd, 0, 65536, 4096 * 3, &word));
	EXPECT_EQ(-EOVERFLOW, log_report(self->a.fd, -4096ULL, 8192, 4096, &word));
	/* A guest that reboots while it moves resets its devices. */
	ASSERT_EQ(0, dev_reset(self->a.fd));
	EXPECT_EQ(0, log_report(self->a.fd, 0, 64 * 4096, 4096, &word));
	EXPECT_EQ(0, log_stop(self->a.fd));
	EXPECT_GT(0, log_report(self->a.fd, 0, 65536, 4096, &word));

	/* It ends with the last close, too. */
	ASSERT_EQ(0, log_start(self->a.fd, 4096, 1, &range));
	vfio_dev_close(&self->a);
	ASSERT_EQ(0, mig_open(&self->a, names[0]));
	EXPECT_EQ(0, log_start(self->a.fd, 4096, 1, &range));
}

int main(int argc, char **argv)
{
	unsigned int n = 0;

	while (n < 2 && argc > 1 && argv[1][0] != '-') {
		names[n++] = argv[1];
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	return test_harness_run(argc, argv);
}
