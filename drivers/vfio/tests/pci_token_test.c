// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of names of devices, the options behind them, and who may open a
 * function by which token (P29).
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/uuid.h>

#include "../pci/private.h"

#define NAME	"0000:3b:00.1"
#define ONE	"6f3b0a5e-19d1-4a1c-9d0b-7f1a2b3c4d5e"
#define TWO	"6f3b0a5e-19d1-4a1c-9d0b-7f1a2b3c4d5f"

/* What an option text is. */
enum { NONE, TOKEN, BAD };

static const struct {
	const char *text;
	int is;
} option_cases[] = {
	{ "", NONE },
	{ " ", NONE },
	{ "   ", NONE },
	{ " vf_token=" ONE, TOKEN },
	{ "   vf_token=" ONE "  ", TOKEN },
	{ " vf_token=6F3B0A5E-19D1-4A1C-9D0B-7F1A2B3C4D5E", TOKEN },
	{ " vf_token", BAD },
	{ " vf_token=", BAD },
	{ " vf_token= " ONE, BAD },
	{ " vf_token=" ONE " vf_token=" ONE, BAD },
	{ " vf_token=6f3b0a5e-19d1-4a1c-9d0b-7f1a2b3c4d5", BAD },
	{ " vf_token=6f3b0a5e-19d1-4a1c-9d0b-7f1a2b3c4d5g", BAD },
	{ " vf_token=6f3b0a5e119d1-4a1c-9d0b-7f1a2b3c4d5e", BAD },
	{ " vf_token=" ONE "x", BAD },
	{ " vf_token=" ONE ",", BAD },
	{ " VF_TOKEN=" ONE, BAD },
	{ " vf_tokens=" ONE, BAD },
	{ " token=" ONE, BAD },
	{ " x", BAD },
	{ " vf_token=" ONE " x", BAD },
};

static void options_are_parsed_whole(struct kunit *test)
{
	uuid_t want, got;
	unsigned int i;
	bool has_token;
	int ret;

	KUNIT_ASSERT_EQ(test, 0, uuid_parse(ONE, &want));
	for (i = 0; i < ARRAY_SIZE(option_cases); i++) {
		ret = vfio_pci_parse_options(option_cases[i].text, &got,
					     &has_token);
		KUNIT_EXPECT_EQ_MSG(test, ret,
				    option_cases[i].is == BAD ? -EINVAL : 0,
				    "\"%s\"", option_cases[i].text);
		if (ret)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, has_token,
				    option_cases[i].is == TOKEN, "\"%s\"",
				    option_cases[i].text);
		if (has_token)
			KUNIT_EXPECT_TRUE(test, uuid_equal(&got, &want));
	}
}

struct fake_function {
	struct vfio_pci_core_device vdev;
	struct pci_dev pdev;
};

static struct fake_function *new_function(struct kunit *test)
{
	struct fake_function *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->pdev.dev.init_name = NAME;
	f->vdev.pdev = &f->pdev;
	return f;
}

static int match(struct fake_function *f, const char *text)
{
	char name[128];

	strscpy(name, text);
	return vfio_pci_core_match(&f->vdev.vdev, name);
}

static void names_match_whole(struct kunit *test)
{
	struct fake_function *f = new_function(test);

	KUNIT_EXPECT_EQ(test, 1, match(f, NAME));
	KUNIT_EXPECT_EQ(test, 1, match(f, NAME " "));
	KUNIT_EXPECT_EQ(test, 0, match(f, ""));
	KUNIT_EXPECT_EQ(test, 0, match(f, "0000:3b:00.2"));
	KUNIT_EXPECT_EQ(test, 0, match(f, "0000:3b:00."));
	KUNIT_EXPECT_EQ(test, 0, match(f, NAME "0"));
	KUNIT_EXPECT_EQ(test, 0, match(f, NAME "\t"));
	/* Options of another device are nobody's. */
	KUNIT_EXPECT_EQ(test, 0, match(f, "0000:3b:00.2 vf_token=" ONE));
	KUNIT_EXPECT_EQ(test, -EINVAL, match(f, NAME " x"));
}

static void a_plain_device_takes_no_token(struct kunit *test)
{
	struct fake_function *f = new_function(test);

	KUNIT_EXPECT_EQ(test, -EINVAL, match(f, NAME " vf_token=" ONE));
}

static void a_vf_of_a_host_driver_takes_no_token(struct kunit *test)
{
	struct fake_function *vf = new_function(test);

	vf->pdev.is_virtfn = 1;
	KUNIT_EXPECT_EQ(test, 1, match(vf, NAME));
	KUNIT_EXPECT_EQ(test, -EINVAL, match(vf, NAME " vf_token=" ONE));
}

static void functions_are_opened_by_the_token(struct kunit *test)
{
	struct fake_function *pf = new_function(test);
	struct fake_function *vf = new_function(test);

	pf->pdev.is_physfn = 1;
	vf->pdev.is_virtfn = 1;
	vf->vdev.sriov_pf_core_dev = &pf->vdev;
	KUNIT_ASSERT_EQ(test, 0, vfio_pci_sriov_register(&pf->vdev));

	/* Random at first: nobody knows it. */
	KUNIT_EXPECT_EQ(test, -EACCES, match(vf, NAME));
	KUNIT_EXPECT_EQ(test, -EACCES, match(vf, NAME " vf_token=" ONE));

	/* Without users of virtual functions the physical one's sets it. */
	KUNIT_EXPECT_EQ(test, 1, match(pf, NAME));
	KUNIT_EXPECT_EQ(test, 1, match(pf, NAME " vf_token=" ONE));
	KUNIT_EXPECT_EQ(test, 1, match(vf, NAME " vf_token=" ONE));
	KUNIT_EXPECT_EQ(test, -EACCES, match(vf, NAME " vf_token=" TWO));
	KUNIT_EXPECT_EQ(test, -EACCES, match(vf, NAME));
	KUNIT_EXPECT_EQ(test, 1, match(pf, NAME " vf_token=" TWO));
	KUNIT_EXPECT_EQ(test, -EACCES, match(vf, NAME " vf_token=" ONE));
	KUNIT_EXPECT_EQ(test, 1, match(vf, NAME " vf_token=" TWO));

	/* With users it has to name it, too. */
	KUNIT_ASSERT_EQ(test, 0, vfio_pci_vf_token_open(&vf->vdev));
	KUNIT_EXPECT_EQ(test, -EACCES, match(pf, NAME));
	KUNIT_EXPECT_EQ(test, -EACCES, match(pf, NAME " vf_token=" ONE));
	KUNIT_EXPECT_EQ(test, 1, match(pf, NAME " vf_token=" TWO));
	KUNIT_EXPECT_EQ(test, 1, match(vf, NAME " vf_token=" TWO));
	vfio_pci_vf_token_close(&vf->vdev);
	KUNIT_EXPECT_EQ(test, 1, match(pf, NAME));
	KUNIT_EXPECT_EQ(test, 1, match(vf, NAME " vf_token=" TWO));

	vfio_pci_sriov_unregister(&pf->vdev);
}

static struct kunit_case token_cases[] = {
	KUNIT_CASE(options_are_parsed_whole),
	KUNIT_CASE(names_match_whole),
	KUNIT_CASE(a_plain_device_takes_no_token),
	KUNIT_CASE(a_vf_of_a_host_driver_takes_no_token),
	KUNIT_CASE(functions_are_opened_by_the_token),
	{}
};

static struct kunit_suite token_suite = {
	.name = "vfio_pci_token",
	.test_cases = token_cases,
};

kunit_test_suite(token_suite);
