// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of ioctls and chains of capabilities: sizes, padding, offsets, and
 * who owns the memory when something fails.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

struct reply {
	u32 argsz;
	u32 flags;
	u32 cap_offset;
	u32 pad;
};

/* Two pages, the second of which is not there. */
static void __user *user_page(struct kunit *test)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE));
	return (void __user *)addr;
}

static void argsz_is_compared_with_what_is_needed(struct kunit *test)
{
	void __user *uarg = user_page(test);
	struct reply r, in = { .flags = 7, .cap_offset = 9, .pad = 11 };
	u32 argsz;

	for (argsz = 0; argsz < 64; argsz++) {
		in.argsz = argsz;
		KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(uarg, &in, sizeof(in)));
		memset(&r, 0xaa, sizeof(r));
		if (argsz < 8) {
			KUNIT_EXPECT_EQ(test, -EINVAL,
					vfio_uarg_get(&r, sizeof(r), 8, uarg));
			continue;
		}
		KUNIT_EXPECT_EQ(test, 0, vfio_uarg_get(&r, sizeof(r), 8, uarg));
		KUNIT_EXPECT_EQ(test, r.argsz, argsz);
		KUNIT_EXPECT_EQ(test, r.flags, 7U);
		KUNIT_EXPECT_EQ(test, r.cap_offset, 0U);
		KUNIT_EXPECT_EQ(test, r.pad, 0U);
	}
}

static void only_what_is_needed_is_read(struct kunit *test)
{
	void __user *page = user_page(test);
	struct reply r;
	u32 head[2] = { sizeof(r), 0 };

	/* The needed part ends where the page does: fine. One byte more: not. */
	KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(page + PAGE_SIZE - 8, head, 8));
	KUNIT_EXPECT_EQ(test, 0, vfio_uarg_get(&r, sizeof(r), 8,
					       page + PAGE_SIZE - 8));
	KUNIT_EXPECT_EQ(test, -EFAULT, vfio_uarg_get(&r, sizeof(r), 8,
						     page + PAGE_SIZE - 7));
	KUNIT_EXPECT_EQ(test, -EFAULT, vfio_uarg_get(&r, sizeof(r), 8, NULL));
}

static void chain_is_aligned_linked_and_zeroed(struct kunit *test)
{
	static const size_t sizes[] = { 8, 9, 12, 16, 31, 100 };
	struct vfio_info_cap caps = {};
	struct vfio_info_cap_header *cap;
	size_t want = 0;
	int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cap = vfio_info_cap_add(&caps, sizes[i], i + 1, i + 10);
		KUNIT_ASSERT_FALSE(test, IS_ERR(cap));
		KUNIT_EXPECT_PTR_EQ(test, (void *)cap, (void *)caps.buf + want);
		want += ALIGN(sizes[i], 8);
		KUNIT_EXPECT_EQ(test, caps.size, want);
		for (k = sizeof(*cap); k < ALIGN(sizes[i], 8); k++)
			KUNIT_EXPECT_EQ(test, ((u8 *)cap)[k], 0);
		memset(cap + 1, 0xff, sizes[i] - sizeof(*cap));
	}

	vfio_info_cap_shift(&caps, 24);
	cap = caps.buf;
	for (i = 0, want = 24; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test, cap->id, i + 1);
		KUNIT_EXPECT_EQ(test, cap->version, i + 10);
		want += ALIGN(sizes[i], 8);
		if (i + 1 == ARRAY_SIZE(sizes)) {
			KUNIT_EXPECT_EQ(test, cap->next, 0U);
			break;
		}
		KUNIT_ASSERT_EQ(test, (size_t)cap->next, want);
		cap = (void *)caps.buf + cap->next - 24;
	}
	kfree(caps.buf);
}

/* C17: a failure leaves nothing for the caller to free a second time. */
static void failing_to_add_frees_the_chain_once(struct kunit *test)
{
	struct vfio_info_cap_header header = { .id = 3 };
	struct vfio_info_cap caps = {};
	void *ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR(vfio_info_cap_add(&caps, 16, 1, 1)));
	KUNIT_EXPECT_EQ(test, -EINVAL, vfio_info_add_capability(&caps, &header, 7));
	KUNIT_EXPECT_NULL(test, caps.buf);
	KUNIT_EXPECT_EQ(test, caps.size, 0UL);

	KUNIT_ASSERT_FALSE(test, IS_ERR(vfio_info_cap_add(&caps, 16, 1, 1)));
	ret = vfio_info_cap_add(&caps, SIZE_MAX - 3, 1, 1);
	KUNIT_EXPECT_EQ(test, -ENOMEM, (int)PTR_ERR(ret));
	KUNIT_EXPECT_NULL(test, caps.buf);
	KUNIT_EXPECT_EQ(test, caps.size, 0UL);

	ret = vfio_info_cap_add(&caps, (size_t)INT_MAX + 1, 1, 1);
	KUNIT_EXPECT_EQ(test, -ENOMEM, (int)PTR_ERR(ret));
	kfree(caps.buf);
}

static void capability_is_copied_without_its_next(struct kunit *test)
{
	struct vfio_region_info_cap_type type = {
		.header = { .id = 2, .version = 1, .next = 0xdeadbeef },
		.type = 77, .subtype = 88,
	};
	struct vfio_region_info_cap_type *copy;
	struct vfio_info_cap caps = {};

	KUNIT_ASSERT_EQ(test, 0, vfio_info_add_capability(&caps, &type.header,
							  sizeof(type)));
	copy = (void *)caps.buf;
	KUNIT_EXPECT_EQ(test, copy->header.id, 2);
	KUNIT_EXPECT_EQ(test, copy->header.version, 1);
	KUNIT_EXPECT_EQ(test, copy->header.next, 0U);
	KUNIT_EXPECT_EQ(test, copy->type, 77U);
	KUNIT_EXPECT_EQ(test, copy->subtype, 88U);
	kfree(caps.buf);
}

static void reply_says_how_much_room_would_do(struct kunit *test)
{
	struct reply __user *uarg = user_page(test);
	struct vfio_info_cap caps = {};
	const size_t all = sizeof(struct reply) + 24;
	size_t argsz;
	u8 seen[64];

	for (argsz = 8; argsz < 64; argsz++) {
		struct reply r = { .argsz = argsz, .flags = 5 };

		KUNIT_ASSERT_FALSE(test, IS_ERR(vfio_info_cap_add(&caps, 8, 1, 1)));
		KUNIT_ASSERT_FALSE(test, IS_ERR(vfio_info_cap_add(&caps, 16, 2, 1)));
		memset(seen, 0xaa, sizeof(seen));
		KUNIT_ASSERT_EQ(test, 0UL, copy_to_user(uarg, seen, sizeof(seen)));

		KUNIT_EXPECT_EQ(test, 0, vfio_info_reply(uarg, &r, sizeof(r),
							 &r.cap_offset, &caps));
		KUNIT_ASSERT_EQ(test, 0UL, copy_from_user(seen, uarg, sizeof(seen)));
		KUNIT_EXPECT_EQ(test, *(u32 *)seen, max(argsz, all) == argsz ?
				(u32)argsz : (u32)all);
		if (argsz >= sizeof(r))
			KUNIT_EXPECT_EQ(test, *(u32 *)(seen + 8), argsz < all ? 0U :
					(u32)sizeof(r));
		/* Nothing behind what the user has room for. */
		KUNIT_EXPECT_EQ(test, seen[argsz < all ? min(argsz, sizeof(r)) : all],
				0xaa);
		if (argsz >= all)
			KUNIT_EXPECT_EQ(test, *(u32 *)(seen + sizeof(r) + 4),
					(u32)sizeof(r) + 8);
		kfree(caps.buf);
		caps = (struct vfio_info_cap){};
	}
}

static void reply_to_a_bad_pointer_faults(struct kunit *test)
{
	void __user *page = user_page(test);
	struct reply r = { .argsz = 64 };
	struct vfio_info_cap caps = {};

	KUNIT_EXPECT_EQ(test, -EFAULT, vfio_info_reply(page + PAGE_SIZE - 8, &r,
						       sizeof(r), &r.cap_offset, NULL));
	/* The struct fits the page, the capabilities do not. */
	KUNIT_ASSERT_FALSE(test, IS_ERR(vfio_info_cap_add(&caps, 16, 2, 1)));
	r.argsz = 64;
	KUNIT_EXPECT_EQ(test, -EFAULT, vfio_info_reply(page + PAGE_SIZE - sizeof(r), &r,
						       sizeof(r), &r.cap_offset, &caps));
	kfree(caps.buf);
}

static struct kunit_case uarg_cases[] = {
	KUNIT_CASE(argsz_is_compared_with_what_is_needed),
	KUNIT_CASE(only_what_is_needed_is_read),
	KUNIT_CASE(chain_is_aligned_linked_and_zeroed),
	KUNIT_CASE(failing_to_add_frees_the_chain_once),
	KUNIT_CASE(capability_is_copied_without_its_next),
	KUNIT_CASE(reply_says_how_much_room_would_do),
	KUNIT_CASE(reply_to_a_bad_pointer_faults),
	{}
};

static struct kunit_suite uarg_suite = {
	.name = "vfio_uarg",
	.test_cases = uarg_cases,
};

kunit_test_suite(uarg_suite);
