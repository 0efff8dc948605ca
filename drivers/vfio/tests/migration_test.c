// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration table against ways computed anew: for every legal set of
 * features, every pair of states, known and unknown.
 */
#include <kunit/test.h>
#include <linux/vfio.h>

#define NR	VFIO_DEVICE_STATE_NR
#define S(s)	VFIO_DEVICE_STATE_##s

/* A way's cost: arcs first, then the saving states it passes through. */
#define ARC	16
#define NO_WAY	(1000 * ARC)

struct arc {
	u8 from, to;
	u8 needs;	/* features it exists with */
	u8 without;	/* features it does not exist with */
};

#define P2P	VFIO_MIGRATION_P2P
#define PRE	VFIO_MIGRATION_PRE_COPY

static const struct arc arcs[] = {
	{ S(RESUMING), S(STOP) },
	{ S(STOP), S(RESUMING) },
	{ S(STOP), S(STOP_COPY) },
	{ S(STOP_COPY), S(STOP) },
	{ S(RUNNING), S(STOP), 0, P2P },
	{ S(STOP), S(RUNNING), 0, P2P },
	{ S(RUNNING), S(RUNNING_P2P), P2P },
	{ S(RUNNING_P2P), S(RUNNING), P2P },
	{ S(RUNNING_P2P), S(STOP), P2P },
	{ S(STOP), S(RUNNING_P2P), P2P },
	{ S(RUNNING), S(PRE_COPY), PRE },
	{ S(PRE_COPY), S(RUNNING), PRE },
	{ S(PRE_COPY), S(STOP_COPY), PRE, P2P },
	{ S(PRE_COPY), S(PRE_COPY_P2P), PRE | P2P },
	{ S(PRE_COPY_P2P), S(PRE_COPY), PRE | P2P },
	{ S(PRE_COPY_P2P), S(RUNNING_P2P), PRE | P2P },
	{ S(RUNNING_P2P), S(PRE_COPY_P2P), PRE | P2P },
	{ S(PRE_COPY_P2P), S(STOP_COPY), PRE | P2P },
};

struct world {
	struct vfio_device *device;
	bool exists[NR];
	bool arc[NR][NR];
	int cost[NR][NR];
};

static bool saves(int state)
{
	return state == S(STOP_COPY) || state == S(PRE_COPY) ||
	       state == S(PRE_COPY_P2P);
}

/* Breadth first from each state, by relaxing until nothing gets nearer. */
static void find_ways(struct world *w)
{
	bool changed = true;
	int a, b, c, cost;

	for (a = 0; a < NR; a++)
		for (b = 0; b < NR; b++)
			w->cost[a][b] = a == b && w->exists[a] ? 0 : NO_WAY;

	while (changed) {
		changed = false;
		for (a = 0; a < NR; a++)
			for (b = 0; b < NR; b++)
				for (c = 0; c < NR; c++) {
					if (!w->arc[a][b] || w->cost[b][c] == NO_WAY)
						continue;
					cost = w->cost[b][c] + ARC;
					if (b != c && saves(b))
						cost++;
					if (cost >= w->cost[a][c])
						continue;
					w->cost[a][c] = cost;
					changed = true;
				}
	}
}

static struct world *make_world(struct kunit *test, u32 features)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	const struct arc *arc;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->device = kunit_kzalloc(test, sizeof(*w->device), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->device);
	w->device->migration_flags = features;

	for (arc = arcs; arc < arcs + ARRAY_SIZE(arcs); arc++) {
		if ((arc->needs & ~features) || (arc->without & features))
			continue;
		w->arc[arc->from][arc->to] = true;
		w->exists[arc->from] = true;
		w->exists[arc->to] = true;
	}
	w->exists[S(ERROR)] = true;
	find_ways(w);
	return w;
}

/* The cost of the way the table takes, or NO_WAY where it refuses. */
static int walk(struct kunit *test, struct world *w, int cur, int target)
{
	enum vfio_device_mig_state next;
	int cost = 0, steps = 0;

	if (cur == target)
		return 0;

	while (cur != target) {
		if (vfio_mig_get_next_state(w->device, cur, target, &next)) {
			KUNIT_EXPECT_EQ(test, next, S(ERROR));
			KUNIT_EXPECT_EQ(test, steps, 0);
			return NO_WAY;
		}
		KUNIT_ASSERT_LT(test, (int)next, NR);
		KUNIT_EXPECT_TRUE_MSG(test, w->arc[cur][next],
				      "no arc from %d to %d", cur, next);
		cost += ARC;
		if (next != target && saves(next))
			cost++;
		cur = next;
		KUNIT_ASSERT_LT(test, ++steps, NR);
	}
	return cost;
}

static void every_pair_takes_the_shortest_way(struct kunit *test)
{
	static const u32 legal[] = {
		VFIO_MIGRATION_STOP_COPY,
		VFIO_MIGRATION_STOP_COPY | P2P,
		VFIO_MIGRATION_STOP_COPY | PRE,
		VFIO_MIGRATION_STOP_COPY | P2P | PRE,
	};
	int i, cur, target, want;

	for (i = 0; i < ARRAY_SIZE(legal); i++) {
		struct world *w = make_world(test, legal[i]);

		for (cur = 0; cur < NR; cur++) {
			if (!w->exists[cur])
				continue;
			for (target = 0; target < NR; target++) {
				if (target == cur)
					continue;
				want = w->cost[cur][target];
				/* A new stream needs a new start. */
				if (cur == S(STOP_COPY) && (target == S(PRE_COPY) ||
							    target == S(PRE_COPY_P2P)))
					want = NO_WAY;
				KUNIT_EXPECT_EQ_MSG(test, walk(test, w, cur, target),
						    want, "features %#x: %d to %d",
						    legal[i], cur, target);
			}
		}
	}
}

static void staying_is_a_way_of_no_arc(struct kunit *test)
{
	struct world *w = make_world(test, VFIO_MIGRATION_STOP_COPY | P2P | PRE);
	enum vfio_device_mig_state next;
	int state;

	for (state = S(STOP); state < NR; state++) {
		KUNIT_EXPECT_EQ(test, 0, vfio_mig_get_next_state(w->device, state,
								 state, &next));
		KUNIT_EXPECT_EQ(test, (int)next, state);
	}
}

static void error_is_neither_entered_nor_left(struct kunit *test)
{
	struct world *w = make_world(test, VFIO_MIGRATION_STOP_COPY | P2P | PRE);
	enum vfio_device_mig_state next;
	int state;

	for (state = 0; state < NR; state++) {
		KUNIT_EXPECT_EQ(test, -EINVAL,
				vfio_mig_get_next_state(w->device, S(ERROR),
							state, &next));
		KUNIT_EXPECT_EQ(test, next, S(ERROR));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				vfio_mig_get_next_state(w->device, state,
							S(ERROR), &next));
		KUNIT_EXPECT_EQ(test, next, S(ERROR));
	}
}

static void unknown_targets_are_refused(struct kunit *test)
{
	static const u32 wild[] = { NR, NR + 1, 255, 256, 0x7fffffff,
				    0x80000000, 0xffffffff };
	struct world *w = make_world(test, VFIO_MIGRATION_STOP_COPY | P2P | PRE);
	enum vfio_device_mig_state next;
	int i;

	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		KUNIT_EXPECT_EQ(test, -EINVAL,
				vfio_mig_get_next_state(w->device, S(RUNNING),
							wild[i], &next));
		KUNIT_EXPECT_EQ(test, next, S(ERROR));
	}
}

static struct kunit_case migration_cases[] = {
	KUNIT_CASE(every_pair_takes_the_shortest_way),
	KUNIT_CASE(staying_is_a_way_of_no_arc),
	KUNIT_CASE(error_is_neither_entered_nor_left),
	KUNIT_CASE(unknown_targets_are_refused),
	{}
};

static struct kunit_suite migration_suite = {
	.name = "vfio_migration",
	.test_cases = migration_cases,
};

kunit_test_suite(migration_suite);
