import uuid

import django.contrib.auth.models
import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import kb.models.completion
import kb.models.entry_revision
import kb.models.inquiry


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClockCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("seen_at", models.DateTimeField()),
                ("doubted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContentEdition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(default=0, verbose_name="版次"),
                ),
                ("raised_at", models.DateTimeField(verbose_name="更新时间")),
                (
                    "outline",
                    models.PositiveBigIntegerField(default=0, verbose_name="栏目版次"),
                ),
                (
                    "outlined_at",
                    models.DateTimeField(null=True, verbose_name="栏目更新时间"),
                ),
            ],
            options={
                "verbose_name": "内容版次",
                "verbose_name_plural": "内容版次",
            },
        ),
        migrations.CreateModel(
            name="IndexStamp",
            fields=[
                (
                    "name",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("committed", models.CharField(max_length=80)),
                ("pending", models.CharField(max_length=80)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "name",
                    models.CharField(
                        max_length=120,
                        primary_key=True,
                        serialize=False,
                        verbose_name="名称",
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(null=True, verbose_name="要求运行的时间"),
                ),
                (
                    "claimed_by",
                    models.CharField(
                        blank=True, max_length=120, verbose_name="正在运行的进程"
                    ),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                (
                    "started_at",
                    models.DateTimeField(null=True, verbose_name="上次开始"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(null=True, verbose_name="上次结束"),
                ),
                (
                    "took_ms",
                    models.PositiveIntegerField(null=True, verbose_name="用时（毫秒）"),
                ),
                (
                    "result",
                    models.CharField(blank=True, max_length=200, verbose_name="结果"),
                ),
                (
                    "error",
                    models.CharField(blank=True, max_length=500, verbose_name="出错"),
                ),
            ],
            options={
                "verbose_name": "后台任务",
                "verbose_name_plural": "后台任务",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="LanguageEdition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(default=0, verbose_name="版次"),
                ),
                (
                    "raised_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
            ],
            options={
                "verbose_name": "词汇版次",
                "verbose_name_plural": "词汇版次",
            },
        ),
        migrations.CreateModel(
            name="LoginCounter",
            fields=[
                (
                    "key",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("attempts", models.JSONField(default=list)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
            ],
            options={
                "verbose_name": "登录计数",
                "verbose_name_plural": "登录计数",
            },
        ),
        migrations.CreateModel(
            name="SearchGapCheckpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("upto", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="last login"
                    ),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={
                            "unique": "A user with that username already exists."
                        },
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[
                            django.contrib.auth.validators.UnicodeUsernameValidator()
                        ],
                        verbose_name="username",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(
                        blank=True, max_length=150, verbose_name="first name"
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True, max_length=150, verbose_name="last name"
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, max_length=254, verbose_name="email address"
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="date joined"
                    ),
                ),
                (
                    "name",
                    models.CharField(blank=True, max_length=50, verbose_name="姓名"),
                ),
                (
                    "must_change_password",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        verbose_name="下次登录要改密码",
                    ),
                ),
                ("reminded_on", models.DateField(editable=False, null=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "用户",
                "verbose_name_plural": "用户",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="AgentProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "shown_name",
                    models.CharField(
                        blank=True,
                        help_text="顾客看到的名字，填进话术里的 {{客服昵称}}。",
                        max_length=20,
                        verbose_name="客服昵称",
                    ),
                ),
                (
                    "greeting",
                    models.CharField(
                        blank=True,
                        help_text="组合话术的开头，比如：{{客户称呼=亲}}，您好！",
                        max_length=200,
                        verbose_name="问候语",
                    ),
                ),
                (
                    "closing",
                    models.CharField(
                        blank=True,
                        help_text="组合话术的结尾。",
                        max_length=200,
                        verbose_name="结束语",
                    ),
                ),
                (
                    "signature",
                    models.CharField(
                        blank=True,
                        help_text="跟在结束语后面。",
                        max_length=100,
                        verbose_name="签名",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("web", "网页"),
                            ("app", "App"),
                            ("wechat", "微信"),
                            ("qianniu", "千牛"),
                            ("phone", "电话"),
                            ("email", "邮件"),
                            ("sms", "短信"),
                            ("other", "其他"),
                        ],
                        help_text="打开话术台时先选这个渠道，字数也按它算。",
                        max_length=10,
                        verbose_name="默认渠道",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="agent_profile",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "客服设置",
                "verbose_name_plural": "客服设置",
            },
        ),
        migrations.CreateModel(
            name="CampaignPeriod",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="比如“618”“春节放假”。",
                        max_length=30,
                        unique=True,
                        verbose_name="名称",
                    ),
                ),
                (
                    "starts_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="开始时间"
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="结束时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "档期",
                "verbose_name_plural": "档期",
                "ordering": ["-starts_at", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="kb_campaignperiod_has_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at__isnull", False),
                            ("ends_at__isnull", False),
                            _connector="OR",
                        ),
                        name="kb_campaignperiod_has_an_edge",
                        violation_error_message="开始时间和结束时间至少要填一个。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at", None),
                            ("ends_at", None),
                            ("starts_at__lt", models.F("ends_at")),
                            _connector="OR",
                        ),
                        name="kb_campaignperiod_in_order",
                        violation_error_message="结束时间要在开始时间之后。",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("position", models.PositiveIntegerField(db_index=True, default=0)),
                ("name", models.CharField(max_length=50, verbose_name="名称")),
                (
                    "own_hant",
                    models.CharField(
                        blank=True,
                        help_text="留空就自动转换。",
                        max_length=50,
                        verbose_name="繁體名称",
                    ),
                ),
                ("hant", models.CharField(blank=True, editable=False, max_length=60)),
                (
                    "review_every",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="这里和下级分类的条目，隔这么多天要再看一遍。留空跟上级分类一样。",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="复核间隔（天）",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="kb.category",
                        verbose_name="上级分类",
                    ),
                ),
            ],
            options={
                "verbose_name": "分类",
                "verbose_name_plural": "分类",
                "ordering": ["position"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CategoryPermission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "right",
                    models.CharField(
                        choices=[("write", "撰写"), ("publish", "发布")],
                        max_length=7,
                        verbose_name="可以",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        help_text="包括下面的各级分类。",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="category_permissions",
                        to="kb.category",
                        verbose_name="分类",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="category_permissions",
                        to="auth.group",
                        verbose_name="哪个组",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="category_permissions",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁",
                    ),
                ),
            ],
            options={
                "verbose_name": "职责范围",
                "verbose_name_plural": "职责范围",
                "ordering": ["right", "pk"],
            },
        ),
        migrations.CreateModel(
            name="CustomerSegment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=20, unique=True, verbose_name="名称"),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, verbose_name="次序"),
                ),
            ],
            options={
                "verbose_name": "客户类型",
                "verbose_name_plural": "客户类型",
                "ordering": ["position", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="kb_customersegment_has_name",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeletedItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("object_id", models.PositiveBigIntegerField(verbose_name="编号")),
                ("name", models.CharField(max_length=200, verbose_name="名称")),
                (
                    "batch",
                    models.UUIDField(db_index=True, default=uuid.uuid4, editable=False),
                ),
                (
                    "rows",
                    models.JSONField(
                        encoder=kb.models.entry_revision.UnescapedJSONEncoder,
                        verbose_name="内容",
                    ),
                ),
                (
                    "links",
                    models.JSONField(
                        default=list,
                        encoder=kb.models.entry_revision.UnescapedJSONEncoder,
                    ),
                ),
                ("file", models.BinaryField(null=True)),
                (
                    "deleted_at",
                    models.DateTimeField(
                        auto_now_add=True, db_index=True, verbose_name="删除时间"
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contenttypes.contenttype",
                        verbose_name="类型",
                    ),
                ),
                (
                    "deleted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁删除的",
                    ),
                ),
            ],
            options={
                "verbose_name": "回收站",
                "verbose_name_plural": "回收站",
                "ordering": ["-deleted_at", "-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DictionaryWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "text",
                    models.CharField(
                        error_messages={"unique": "词典里已经有这个词。"},
                        help_text="两个字以上的汉字词，例如产品名、行话。搜索时不再被拆开理解。字母和数字不用加，本来就按整词搜。",
                        max_length=32,
                        unique=True,
                        verbose_name="词",
                    ),
                ),
                (
                    "tag",
                    models.CharField(
                        blank=True,
                        choices=[("n", "名词"), ("v", "动词"), ("nz", "专名")],
                        default="n",
                        max_length=4,
                        verbose_name="词性",
                    ),
                ),
            ],
            options={
                "verbose_name": "词",
                "verbose_name_plural": "词典",
                "ordering": ["text"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="kb_dictionaryword_has_text",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "valid_from",
                    models.DateTimeField(
                        blank=True,
                        db_index=True,
                        help_text="到这个时间，顾客才看得到。留空表示发布后马上生效。",
                        null=True,
                        verbose_name="生效时间",
                    ),
                ),
                (
                    "valid_until",
                    models.DateTimeField(
                        blank=True,
                        db_index=True,
                        help_text="过了这个时间，顾客看不到，客服不能复制。留空表示一直有效。",
                        null=True,
                        verbose_name="失效时间",
                    ),
                ),
                (
                    "review_at",
                    models.DateField(
                        blank=True,
                        db_index=True,
                        help_text="到这一天，它会出现在负责人的「待复核」里。留空按分类的复核间隔。",
                        null=True,
                        verbose_name="复核日期",
                    ),
                ),
                (
                    "reviewed_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="上次复核"
                    ),
                ),
                ("question", models.CharField(max_length=200, verbose_name="标准问题")),
                (
                    "answer",
                    models.TextField(
                        blank=True,
                        help_text="用 Markdown 写，顾客看得到。先写一句话答案，再写步骤。",
                        validators=[django.core.validators.MaxLengthValidator(65536)],
                        verbose_name="FAQ 答案",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "草稿"),
                            ("review", "待审核"),
                            ("published", "已发布"),
                            ("retired", "已下线"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("public", "公开"), ("internal", "仅内部")],
                        default="internal",
                        max_length=10,
                        verbose_name="可见范围",
                    ),
                ),
                (
                    "keywords",
                    models.CharField(
                        blank=True,
                        help_text="客服用来直达的短码、别名，用空格分开。",
                        max_length=200,
                        verbose_name="短码和关键词",
                    ),
                ),
                (
                    "slug",
                    models.SlugField(
                        allow_unicode=True,
                        blank=True,
                        help_text="留空时按标准问题生成；以后改问题，网址不会跟着变。",
                        max_length=80,
                        verbose_name="网址后缀",
                    ),
                ),
                ("answer_html", models.TextField(blank=True, editable=False)),
                ("answer_text", models.TextField(blank=True, editable=False)),
                (
                    "excerpt",
                    models.CharField(blank=True, editable=False, max_length=160),
                ),
                (
                    "question_key",
                    models.CharField(db_index=True, editable=False, max_length=32),
                ),
                (
                    "source",
                    models.CharField(blank=True, max_length=50, verbose_name="来源"),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="外部编号"
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, editable=False, verbose_name="版本"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="创建时间"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
                (
                    "published_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="发布时间"
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="kb.category",
                        verbose_name="分类",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="创建人",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="谁保证这一条是对的；到期复核、有人反馈时找他。",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="owned_entries",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="负责人",
                    ),
                ),
                (
                    "updated_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="最后修改人",
                    ),
                ),
                (
                    "window",
                    models.ForeignKey(
                        blank=True,
                        help_text="选了档期就用它的时间，下面两项不用填；档期改了，时间跟着改。",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="kb.campaignperiod",
                        verbose_name="档期",
                    ),
                ),
            ],
            options={
                "verbose_name": "条目",
                "verbose_name_plural": "条目",
                "ordering": ["-updated_at", "-id"],
                "permissions": [
                    ("read_library", "查看话术库"),
                    ("publish_entry", "发布和下线条目"),
                    ("import_entry", "导入条目"),
                    ("export_library", "导出"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Completion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("text", models.CharField(max_length=200)),
                ("inside", models.PositiveSmallIntegerField()),
                ("place", models.PositiveSmallIntegerField()),
                ("letters", kb.models.completion.PrefixKeyField(max_length=16)),
                ("sound", kb.models.completion.PrefixKeyField(max_length=144)),
                ("initials", kb.models.completion.PrefixKeyField(max_length=16)),
                ("lengths", models.CharField(max_length=16)),
                ("public", models.BooleanField()),
                ("uses", models.PositiveIntegerField(default=0)),
                ("length", models.PositiveSmallIntegerField()),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "输入提示",
                "verbose_name_plural": "输入提示",
            },
        ),
        migrations.CreateModel(
            name="Autosave",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200)),
                ("fields", models.JSONField()),
                ("at", models.DateTimeField(auto_now=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "未保存的内容",
                "verbose_name_plural": "未保存的内容",
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="Announcement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        help_text="一句话说清发生了什么，例如：华东大雪，发货延迟。",
                        max_length=80,
                        verbose_name="标题",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        blank=True,
                        help_text="可以不写。影响谁、现在怎么办、什么时候恢复；用 Markdown 写。",
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="说明",
                    ),
                ),
                (
                    "keywords",
                    models.TextField(
                        blank=True,
                        help_text="一行一个，或用空格、逗号、顿号隔开；几个词要连在一起，就加引号。搜索里出现其中一个，公告就在结果上方。不写就只在首页显示。",
                        verbose_name="关键词",
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("public", "顾客和同事"), ("staff", "仅同事")],
                        default="staff",
                        max_length=10,
                        verbose_name="给谁看",
                    ),
                ),
                (
                    "starts_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="开始时间"
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        db_index=True,
                        help_text="到点自动消失，不用再来撤。",
                        verbose_name="结束时间",
                    ),
                ),
                ("body_html", models.TextField(blank=True, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="发布人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        help_text="公告里会带上它的链接，它的页面上也会显示公告。",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="announcements",
                        to="kb.entry",
                        verbose_name="相关条目",
                    ),
                ),
            ],
            options={
                "verbose_name": "公告",
                "verbose_name_plural": "公告",
                "ordering": ["-starts_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="EntryMerge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "草稿"),
                            ("review", "待审核"),
                            ("published", "已发布"),
                            ("retired", "已下线"),
                        ],
                        max_length=10,
                    ),
                ),
                ("moved", models.JSONField(default=dict)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges",
                        to="kb.entry",
                    ),
                ),
                (
                    "other",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merged_into",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "合并",
                "verbose_name_plural": "合并",
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="EntryRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="版本")),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("made", "新建"),
                            ("wrote", "修改"),
                            ("translated", "改繁體"),
                            ("phrased", "加相似问法"),
                            ("merged", "并入问题"),
                            ("adopted", "收录话术"),
                            ("imported", "导入"),
                            ("submitted", "提交审核"),
                            ("withdrawn", "撤回"),
                            ("returned", "退回"),
                            ("published", "发布"),
                            ("approved", "通过修改"),
                            ("retired", "下线"),
                            ("restored", "恢复为草稿"),
                            ("reverted", "恢复到旧版"),
                        ],
                        max_length=10,
                        verbose_name="怎么来的",
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="修改说明"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "草稿"),
                            ("review", "待审核"),
                            ("published", "已发布"),
                            ("retired", "已下线"),
                        ],
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "content",
                    models.JSONField(
                        encoder=kb.models.entry_revision.UnescapedJSONEncoder
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="kb.entry",
                    ),
                ),
                (
                    "judge",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
            ],
            options={
                "verbose_name": "历史版本",
                "verbose_name_plural": "历史版本",
                "ordering": ["-version"],
            },
        ),
        migrations.CreateModel(
            name="EntryTranslation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "own_question",
                    models.CharField(
                        blank=True,
                        help_text="留空就用自动转换的。",
                        max_length=200,
                        verbose_name="繁體问题",
                    ),
                ),
                (
                    "own_answer",
                    models.TextField(
                        blank=True,
                        help_text="用 Markdown 写；留空就用自动转换的。",
                        validators=[django.core.validators.MaxLengthValidator(65536)],
                        verbose_name="繁體答案",
                    ),
                ),
                (
                    "own_source",
                    models.CharField(blank=True, editable=False, max_length=32),
                ),
                (
                    "behind",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="原文已改"
                    ),
                ),
                ("question", models.CharField(editable=False, max_length=240)),
                ("answer_html", models.TextField(blank=True, editable=False)),
                ("answer_text", models.TextField(blank=True, editable=False)),
                (
                    "excerpt",
                    models.CharField(blank=True, editable=False, max_length=160),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("said_by", models.CharField(editable=False, max_length=20)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="translation",
                        to="kb.entry",
                        verbose_name="条目",
                    ),
                ),
            ],
            options={
                "verbose_name": "繁體版本",
                "verbose_name_plural": "繁體版本",
                "ordering": ["-behind", "-entry_id"],
            },
        ),
        migrations.CreateModel(
            name="Favorite",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="favorites",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "收藏",
                "verbose_name_plural": "收藏",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "order",
                    models.PositiveSmallIntegerField(default=0, verbose_name="次序"),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="follow_ups",
                        to="kb.entry",
                        verbose_name="条目",
                    ),
                ),
                (
                    "then",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preceded_by",
                        to="kb.entry",
                        verbose_name="接下来会问",
                    ),
                ),
            ],
            options={
                "verbose_name": "后续问题",
                "verbose_name_plural": "后续问题",
                "ordering": ["order", "id"],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("kind", models.CharField(max_length=10, verbose_name="导入了什么")),
                ("name", models.CharField(max_length=200, verbose_name="文件")),
                ("summary", models.CharField(max_length=200, verbose_name="结果")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="时间")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="撤销时间")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "导入记录",
                "verbose_name_plural": "导入记录",
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ImportColumnName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("kind", models.CharField(max_length=10)),
                ("heading", models.CharField(max_length=100)),
                ("field", models.CharField(blank=True, max_length=30)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "heading"), name="kb_importcolumnname_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportedRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("row", models.PositiveBigIntegerField()),
                ("title", models.CharField(max_length=80)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField()),
                ("undone", models.BooleanField(default=False)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="kb.importbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="IndexQueue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("entry_id", models.BigIntegerField(verbose_name="条目编号")),
                (
                    "due_at",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        verbose_name="到期时间",
                    ),
                ),
                (
                    "marked_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="标记时间"),
                ),
                (
                    "lot_size",
                    models.PositiveIntegerField(default=1, verbose_name="同批条数"),
                ),
            ],
            options={
                "verbose_name": "待索引",
                "verbose_name_plural": "待索引",
                "indexes": [
                    models.Index(fields=["lot_size", "-id"], name="kb_indexqueue_lot")
                ],
            },
        ),
        migrations.CreateModel(
            name="Inquiry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "token",
                    models.CharField(
                        default=kb.models.inquiry.generate_inquiry_token,
                        max_length=32,
                        unique=True,
                    ),
                ),
                ("form_key", models.CharField(max_length=64, unique=True)),
                ("origin", models.CharField(max_length=300, verbose_name="提问的网站")),
                (
                    "language",
                    models.CharField(
                        default="zh-hans", max_length=10, verbose_name="页面语言"
                    ),
                ),
                (
                    "page",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="提问的页面"
                    ),
                ),
                (
                    "words",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="之前搜了什么"
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        max_length=100,
                        validators=[kb.models.inquiry.validate_contact],
                        verbose_name="联系方式",
                    ),
                ),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="邮件发出时间"
                    ),
                ),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="满意度",
                    ),
                ),
                (
                    "comment",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="满意度留言"
                    ),
                ),
                (
                    "scored_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="评分时间"
                    ),
                ),
                (
                    "score_handled_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        null=True,
                        verbose_name="评分处理时间",
                    ),
                ),
                (
                    "score_handled_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="评分处理人",
                    ),
                ),
            ],
            options={
                "verbose_name": "网上提问",
                "verbose_name_plural": "网上提问",
            },
        ),
        migrations.CreateModel(
            name="InquiryAttachment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("body", models.BinaryField()),
                ("place", models.PositiveSmallIntegerField()),
                (
                    "inquiry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="kb.inquiry",
                    ),
                ),
            ],
            options={
                "ordering": ["place"],
            },
        ),
        migrations.CreateModel(
            name="Module",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=50, unique=True, verbose_name="名称"),
                ),
                (
                    "offered",
                    models.BooleanField(
                        default=False,
                        help_text="顾客提问时可以选它；名称会公开显示。",
                        verbose_name="顾客可选",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="modules",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="负责人",
                    ),
                ),
            ],
            options={
                "verbose_name": "产品模块",
                "verbose_name_plural": "产品模块",
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="entry",
            name="module",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="entries",
                to="kb.module",
                verbose_name="产品模块",
            ),
        ),
        migrations.CreateModel(
            name="PageView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("day", models.DateField()),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="page_views",
                        to="kb.entry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Pick",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                ("words_key", models.CharField(editable=False, max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")], max_length=6
                    ),
                ),
                ("person", models.CharField(max_length=24)),
                ("rank", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("copied", "复制了话术"), ("helpful", "说有帮助")],
                        max_length=7,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="picks",
                        to="kb.entry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        unique=True,
                        verbose_name="文件名",
                    ),
                ),
                (
                    "alt",
                    models.CharField(
                        help_text="给看不见图的人和搜索引擎：一句话说清图里有什么、点哪里。",
                        max_length=200,
                        verbose_name="替代文字",
                    ),
                ),
                (
                    "width",
                    models.PositiveIntegerField(editable=False, verbose_name="宽"),
                ),
                (
                    "height",
                    models.PositiveIntegerField(editable=False, verbose_name="高"),
                ),
                (
                    "size",
                    models.PositiveIntegerField(editable=False, verbose_name="字节"),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="上传时间"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="上传人",
                    ),
                ),
            ],
            options={
                "verbose_name": "图片",
                "verbose_name_plural": "图片",
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "text",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="问题",
                    ),
                ),
                (
                    "answer",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(10000)],
                        verbose_name="回答",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("web", "网页"),
                            ("app", "App"),
                            ("wechat", "微信"),
                            ("qianniu", "千牛"),
                            ("phone", "电话"),
                            ("email", "邮件"),
                            ("sms", "短信"),
                            ("other", "其他"),
                        ],
                        default="other",
                        max_length=10,
                        verbose_name="渠道",
                    ),
                ),
                (
                    "segment",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="客户类型"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "待回答"),
                            ("answered", "待整理"),
                            ("settled", "已收录"),
                            ("declined", "不收录"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="不收录的原因"
                    ),
                ),
                (
                    "settled_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="处理时间"
                    ),
                ),
                (
                    "answered_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="回答时间"
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="提问时间"
                    ),
                ),
                (
                    "source",
                    models.CharField(blank=True, max_length=50, verbose_name="来源"),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="外部编号"
                    ),
                ),
                ("anonymized_at", models.DateTimeField(editable=False, null=True)),
                (
                    "text_key",
                    models.CharField(db_index=True, editable=False, max_length=32),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="录入时间"),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="回答人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="kb.entry",
                        verbose_name="收录到",
                    ),
                ),
                (
                    "module",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="questions",
                        to="kb.module",
                        verbose_name="产品模块",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="录入人",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
            ],
            options={
                "verbose_name": "问题",
                "verbose_name_plural": "问题",
                "ordering": ["-asked_at", "-id"],
                "permissions": [
                    ("triage_question", "处理收件箱"),
                    ("answer_question", "回答顾客的提问"),
                    ("import_question", "导入问题"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PracticeAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("right", models.BooleanField(verbose_name="答对")),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "chosen",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
                (
                    "given",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="practice_attempts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="practice_attempts",
                        to="kb.question",
                    ),
                ),
            ],
            options={
                "verbose_name": "练习",
                "verbose_name_plural": "练习",
                "ordering": ["-at", "-id"],
                "permissions": [("view_scores", "查看大家的练习成绩")],
            },
        ),
        migrations.CreateModel(
            name="Phrasing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("text", models.CharField(max_length=200, verbose_name="相似问法")),
                ("text_key", models.CharField(editable=False, max_length=32)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="phrasings",
                        to="kb.entry",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="phrasings",
                        to="kb.question",
                        verbose_name="来自问题",
                    ),
                ),
            ],
            options={
                "verbose_name": "相似问法",
                "verbose_name_plural": "相似问法",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="inquiry",
            name="question",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="inquiry",
                to="kb.question",
            ),
        ),
        migrations.CreateModel(
            name="AnswerVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="版本")),
                (
                    "text",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(10000)],
                        verbose_name="回复",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="回复时间"
                    ),
                ),
                (
                    "visible_from",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        verbose_name="顾客看得到的时间",
                    ),
                ),
                (
                    "mail_after",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        verbose_name="邮件最早发出时间",
                    ),
                ),
                (
                    "mailed_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="邮件发出时间"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁回复的",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answer_versions",
                        to="kb.question",
                    ),
                ),
            ],
            options={
                "verbose_name": "回复的版本",
                "verbose_name_plural": "回复的版本",
                "ordering": ["question", "number"],
            },
        ),
        migrations.CreateModel(
            name="AnswerDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("text", models.TextField(blank=True)),
                ("discarded", models.BooleanField(default=False)),
                ("present_until", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField(auto_now=True, db_index=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answer_drafts",
                        to="kb.question",
                    ),
                ),
            ],
            options={
                "verbose_name": "没发出的回复",
                "verbose_name_plural": "没发出的回复",
                "ordering": ["-updated_at"],
            },
        ),
        migrations.CreateModel(
            name="RelatedEntries",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("ids", models.JSONField(default=dict)),
                ("version", models.PositiveIntegerField()),
                ("found_at", models.DateTimeField()),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="related_entries",
                        to="kb.entry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RelevanceTest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")],
                        default="public",
                        max_length=6,
                        verbose_name="谁来搜",
                    ),
                ),
                (
                    "within",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="排在这个名次以内就算达标，1 到 20。",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                        verbose_name="最低名次",
                    ),
                ),
                (
                    "rank",
                    models.PositiveSmallIntegerField(
                        editable=False, null=True, verbose_name="现在名次"
                    ),
                ),
                ("above", models.JSONField(default=list, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="创建时间"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="修改时间"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="创建人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        help_text="留空表示：这样搜，不该有结果。",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="relevance_tests",
                        to="kb.entry",
                        verbose_name="应该找到",
                    ),
                ),
            ],
            options={
                "verbose_name": "搜索验收",
                "verbose_name_plural": "搜索验收",
                "ordering": ["words", "pk"],
            },
        ),
        migrations.CreateModel(
            name="RelevanceTestRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("change", "内容或词汇有改动"),
                            ("button", "手动"),
                            ("command", "命令行"),
                        ],
                        max_length=7,
                        verbose_name="起因",
                    ),
                ),
                ("stamp", models.CharField(max_length=32)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("failing", models.PositiveIntegerField(default=0)),
                ("moved", models.JSONField(default=list)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-started_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        default="标准", max_length=20, verbose_name="名称"
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        blank=True,
                        help_text="自己认得出就行，比如“催发货”。",
                        max_length=60,
                        verbose_name="标题",
                    ),
                ),
                (
                    "keywords",
                    models.CharField(
                        blank=True,
                        help_text="想用什么词找到它，用空格分开。",
                        max_length=100,
                        verbose_name="短码和关键词",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="纯文本。要客服填的地方写成 {{订单号}}；给默认值 {{客户称呼=亲}}；几选一 {{快递公司|顺丰|中通}}；可以不填 {{备注?}}；填日期 {{回电时间:日期}}。",
                        validators=[django.core.validators.MaxLengthValidator(4000)],
                        verbose_name="话术",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("web", "网页"),
                            ("app", "App"),
                            ("wechat", "微信"),
                            ("qianniu", "千牛"),
                            ("phone", "电话"),
                            ("email", "邮件"),
                            ("sms", "短信"),
                            ("other", "其他"),
                        ],
                        help_text="留空表示通用",
                        max_length=10,
                        verbose_name="渠道",
                    ),
                ),
                (
                    "tone",
                    models.CharField(
                        choices=[
                            ("standard", "标准"),
                            ("short", "简短"),
                            ("soothing", "安抚"),
                            ("formal", "正式"),
                        ],
                        default="standard",
                        max_length=10,
                        verbose_name="语气",
                    ),
                ),
                (
                    "order",
                    models.PositiveSmallIntegerField(default=0, verbose_name="次序"),
                ),
                ("text", models.TextField(blank=True, editable=False)),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁写的",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="kb.entry",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁的",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        blank=True,
                        help_text="留空表示通用",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kb.customersegment",
                        verbose_name="客户类型",
                    ),
                ),
            ],
            options={
                "verbose_name": "话术",
                "verbose_name_plural": "话术",
                "ordering": ["order", "id"],
                "permissions": [("lead_team", "写团队话术")],
            },
        ),
        migrations.CreateModel(
            name="CopyEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "variant",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="话术名称"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reply", "话术"),
                            ("basket", "组合"),
                            ("link", "链接"),
                            ("picture", "图片"),
                        ],
                        max_length=7,
                        verbose_name="复制了什么",
                    ),
                ),
                (
                    "words",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="搜索的话"
                    ),
                ),
                (
                    "rank",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="第几条"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("web", "网页"),
                            ("app", "App"),
                            ("wechat", "微信"),
                            ("qianniu", "千牛"),
                            ("phone", "电话"),
                            ("email", "邮件"),
                            ("sms", "短信"),
                            ("other", "其他"),
                        ],
                        max_length=10,
                        verbose_name="渠道",
                    ),
                ),
                (
                    "took_ms",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="用时（毫秒）"
                    ),
                ),
                (
                    "conversation",
                    models.CharField(blank=True, max_length=24, verbose_name="会话"),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        verbose_name="时间",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="copies",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="客服",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="copies",
                        to="kb.entry",
                    ),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="copies",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "复制记录",
                "verbose_name_plural": "复制记录",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ReplyFeedback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "variant",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="话术名称"
                    ),
                ),
                ("body", models.TextField(blank=True, verbose_name="当时的话术")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("wrong", "错了"),
                            ("stale", "过时"),
                            ("tone", "语气不好"),
                            ("other", "其他"),
                        ],
                        max_length=5,
                        verbose_name="哪里不对",
                    ),
                ),
                (
                    "words",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(500)],
                        verbose_name="补充说明",
                    ),
                ),
                (
                    "query",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="搜索的话"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待处理"), ("done", "已处理")],
                        default="open",
                        max_length=4,
                        verbose_name="状态",
                    ),
                ),
                (
                    "answer",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(500)],
                        verbose_name="答复",
                    ),
                ),
                (
                    "done_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="处理时间"
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="本人看到"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reply_feedback",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁说的",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reply_feedback",
                        to="kb.entry",
                    ),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reply_feedback",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "话术反馈",
                "verbose_name_plural": "话术反馈",
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ReplyProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(auto_now_add=True, verbose_name="提议时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "等待审核"),
                            ("accepted", "已收为共用"),
                            ("returned", "已退回"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="退回原因"
                    ),
                ),
                ("judged_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                (
                    "before",
                    models.JSONField(
                        editable=False,
                        encoder=kb.models.entry_revision.UnescapedJSONEncoder,
                        null=True,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提议人",
                    ),
                ),
                (
                    "judged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proposals",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "共用提议",
                "verbose_name_plural": "共用提议",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ReplyRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("text", models.TextField()),
                (
                    "replaced_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "话术旧版",
                "verbose_name_plural": "话术旧版",
                "ordering": ["replaced_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "content",
                    models.JSONField(
                        encoder=kb.models.entry_revision.UnescapedJSONEncoder, null=True
                    ),
                ),
                ("base", models.PositiveIntegerField()),
                ("edition", models.PositiveIntegerField(default=1)),
                (
                    "at",
                    models.DateTimeField(auto_now_add=True, verbose_name="提交时间"),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="修改说明"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "待审核"),
                            ("approved", "已通过"),
                            ("returned", "已退回"),
                            ("withdrawn", "已撤回"),
                        ],
                        default="waiting",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                ("judged_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                (
                    "reason",
                    models.CharField(blank=True, max_length=200, verbose_name="原因"),
                ),
                (
                    "also",
                    models.ManyToManyField(
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="也加了内容的人",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提交人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="kb.entry",
                    ),
                ),
                (
                    "judged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="请谁审核",
                    ),
                ),
            ],
            options={
                "verbose_name": "审核",
                "verbose_name_plural": "审核",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                ("words_key", models.CharField(editable=False, max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")], max_length=6
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(default=0)),
                ("people", models.PositiveIntegerField(default=0)),
                ("refused", models.BooleanField(default=False)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence",
                        to="kb.entry",
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="kb.review",
                    ),
                ),
            ],
            options={
                "ordering": ["-level", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ReviewComment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="时间")),
                ("text", models.CharField(max_length=1000, verbose_name="意见")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁",
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="kb.review",
                    ),
                ),
            ],
            options={
                "verbose_name": "审核意见",
                "verbose_name_plural": "审核意见",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Search",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                ("words_key", models.CharField(editable=False, max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")],
                        max_length=6,
                        verbose_name="谁搜的",
                    ),
                ),
                ("person", models.CharField(blank=True, editable=False, max_length=24)),
                ("results", models.PositiveIntegerField(verbose_name="结果数")),
                (
                    "rank",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="第几条"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        verbose_name="时间",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="同事",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="kb.entry",
                        verbose_name="用了哪条",
                    ),
                ),
            ],
            options={
                "verbose_name": "搜索记录",
                "verbose_name_plural": "搜索记录",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="SearchGap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")],
                        max_length=6,
                        verbose_name="谁搜的",
                    ),
                ),
                ("meaning", models.CharField(editable=False, max_length=32)),
                ("sound", models.CharField(editable=False, max_length=32)),
                ("told", models.CharField(editable=False, max_length=400)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "待处理"),
                            ("proving", "待验证"),
                            ("closed", "已解决"),
                            ("declined", "不归我们"),
                        ],
                        default="open",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                (
                    "remedy",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("draft", "新建了草稿"),
                            ("phrasing", "加了相似问法"),
                            ("synonym", "加了同义词"),
                        ],
                        max_length=8,
                        verbose_name="怎么处理的",
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, max_length=200, verbose_name="原因"),
                ),
                (
                    "rank",
                    models.PositiveSmallIntegerField(
                        editable=False, null=True, verbose_name="验证时的名次"
                    ),
                ),
                (
                    "fell",
                    models.BooleanField(default=False, verbose_name="解决后又找不到了"),
                ),
                (
                    "settled_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="处理时间"
                    ),
                ),
                (
                    "misses",
                    models.PositiveIntegerField(default=0, verbose_name="没用上的次数"),
                ),
                (
                    "empty",
                    models.PositiveIntegerField(
                        default=0, verbose_name="没有结果的次数"
                    ),
                ),
                (
                    "picks",
                    models.PositiveIntegerField(default=0, verbose_name="用上了的次数"),
                ),
                (
                    "last_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="最近一次"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="出现时间"),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="search_gaps",
                        to="kb.entry",
                        verbose_name="应该找到",
                    ),
                ),
            ],
            options={
                "verbose_name": "搜索缺口",
                "verbose_name_plural": "搜索缺口",
                "ordering": ["-misses", "-last_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SearchGapSpelling",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("words", models.CharField(max_length=200)),
                ("words_key", models.CharField(max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")], max_length=6
                    ),
                ),
                ("misses", models.PositiveIntegerField(default=0)),
                ("empty", models.PositiveIntegerField(default=0)),
                ("picks", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "gap",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="spellings",
                        to="kb.searchgap",
                    ),
                ),
            ],
            options={
                "ordering": ["-misses", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="页眉、标题里的名称。",
                        max_length=50,
                        verbose_name="名称",
                    ),
                ),
                (
                    "host",
                    models.CharField(
                        blank=True,
                        error_messages={"unique": "这个域名已经有站点了。"},
                        help_text="比如 help.example.com；留空的那个站点用于其他所有域名。",
                        max_length=253,
                        unique=True,
                        verbose_name="域名",
                    ),
                ),
                (
                    "accent",
                    models.CharField(
                        blank=True,
                        help_text="链接和按钮的颜色，写成 #2a56ac；深色模式的颜色由它推出。留空用默认。",
                        max_length=7,
                        verbose_name="主色",
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="显示在每页底部，比如“客服电话 400-000-0000，9:00–21:00”。",
                        max_length=200,
                        verbose_name="联系方式",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
                (
                    "categories",
                    models.ManyToManyField(
                        blank=True,
                        help_text="只显示这些分类和它们的下级；一个也不选就显示全部。",
                        related_name="+",
                        to="kb.category",
                        verbose_name="显示的分类",
                    ),
                ),
                (
                    "logo",
                    models.ForeignKey(
                        blank=True,
                        help_text="先在“图片”里上传；显示在页眉，高 32 像素。留空用默认图标。",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kb.picture",
                        verbose_name="标志",
                    ),
                ),
            ],
            options={
                "verbose_name": "站点",
                "verbose_name_plural": "站点",
                "ordering": ["host"],
            },
        ),
        migrations.AddField(
            model_name="inquiry",
            name="site",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="kb.site",
                verbose_name="站点",
            ),
        ),
        migrations.CreateModel(
            name="Snippet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="话术里写 {{> 名称}} 就会换成下面的内容。",
                        max_length=30,
                        unique=True,
                        verbose_name="名称",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="纯文本，可以有 {{订单号}} 这样的空，也可以再用 {{> 别的片段}}。",
                        validators=[django.core.validators.MaxLengthValidator(4000)],
                        verbose_name="内容",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
            ],
            options={
                "verbose_name": "片段",
                "verbose_name_plural": "片段",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True),
                            models.Q(("body", ""), _negated=True),
                        ),
                        name="kb_snippet_has_body",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StopWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "text",
                    models.CharField(
                        error_messages={"unique": "停用词里已经有这个词。"},
                        help_text="寒暄、语气词之类，搜索时几乎不算。可能是客户所问之事的词不要放进来。",
                        max_length=32,
                        unique=True,
                        verbose_name="词",
                    ),
                ),
            ],
            options={
                "verbose_name": "停用词",
                "verbose_name_plural": "停用词",
                "ordering": ["text"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="kb_stopword_has_text",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StyleRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("forbidden", "禁用语"),
                            ("absolute", "绝对化用语"),
                            ("irritating", "惹人不快的话"),
                            ("check", "自动检查"),
                        ],
                        default="forbidden",
                        max_length=10,
                        verbose_name="类型",
                    ),
                ),
                (
                    "text",
                    models.CharField(
                        help_text="一条规则写一个词或一句话；不分大小写、全角半角、简体繁體。类型选“自动检查”时，这里写检查的名称。",
                        max_length=60,
                        verbose_name="词",
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("error", "不能发布"),
                            ("warn", "提醒"),
                            ("off", "停用"),
                        ],
                        default="warn",
                        help_text="“不能发布”会拦住发布；“提醒”只提示。",
                        max_length=5,
                        verbose_name="级别",
                    ),
                ),
                (
                    "exceptions",
                    models.CharField(
                        blank=True,
                        help_text="含有这个词但没有问题的说法，用空格分开，例如：第一步 第一次。号码和邮箱的例外写允许出现的，例如自家热线，或 @example.com。",
                        max_length=400,
                        verbose_name="例外",
                    ),
                ),
                (
                    "faces",
                    models.CharField(
                        blank=True,
                        choices=[("public", "只查 FAQ"), ("reply", "只查话术")],
                        help_text="留空表示 FAQ 和话术都查。",
                        max_length=6,
                        verbose_name="范围",
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, max_length=100, verbose_name="原因"),
                ),
                (
                    "suggestion",
                    models.CharField(blank=True, max_length=100, verbose_name="建议"),
                ),
                (
                    "limit",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="只用于“句子太长”。",
                        null=True,
                        verbose_name="字数上限",
                    ),
                ),
            ],
            options={
                "verbose_name": "用词规则",
                "verbose_name_plural": "用词规则",
                "ordering": ["kind", "text"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="kb_stylerule_has_text",
                    ),
                    models.UniqueConstraint(
                        fields=("kind", "text"),
                        name="kb_stylerule_unique",
                        violation_error_message="这一类里已经有这个词。",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SynonymSet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        default="通用",
                        help_text="只用来归类，例如：物流、错别字。",
                        max_length=20,
                        verbose_name="主题",
                    ),
                ),
                (
                    "members",
                    models.TextField(
                        help_text="一行一个，至少两个。搜其中一个，也会找到写着另一个的条目；只放客户可以互换着说的词，宁缺毋滥。",
                        verbose_name="词",
                    ),
                ),
                (
                    "two_way",
                    models.BooleanField(
                        default=True,
                        help_text="不勾选时，只有搜第一个词会找到其余的，适合错别字：错的写第一行。",
                        verbose_name="互相都能找到",
                    ),
                ),
            ],
            options={
                "verbose_name": "同义词",
                "verbose_name_plural": "同义词",
                "ordering": ["topic", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("topic", ""), _negated=True),
                            models.Q(("members", ""), _negated=True),
                        ),
                        name="kb_synonymset_not_empty",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=30, unique=True, verbose_name="名称"),
                ),
                (
                    "own_hant",
                    models.CharField(
                        blank=True,
                        help_text="留空就自动转换。",
                        max_length=50,
                        verbose_name="繁體名称",
                    ),
                ),
                ("hant", models.CharField(blank=True, editable=False, max_length=60)),
            ],
            options={
                "verbose_name": "标签",
                "verbose_name_plural": "标签",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="kb_tag_has_name",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="entry",
            name="tags",
            field=models.ManyToManyField(
                blank=True, related_name="entries", to="kb.tag", verbose_name="标签"
            ),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=30, unique=True, verbose_name="名称"),
                ),
            ],
            options={
                "verbose_name": "团队",
                "verbose_name_plural": "团队",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="kb_team_has_name",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="reply",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kb.team",
                verbose_name="哪个团队的",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="team",
            field=models.ForeignKey(
                blank=True,
                help_text="同一团队的人共用团队话术。",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="members",
                to="kb.team",
                verbose_name="团队",
            ),
        ),
        migrations.CreateModel(
            name="TextRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("object_id", models.PositiveBigIntegerField(verbose_name="编号")),
                ("name", models.CharField(max_length=200, verbose_name="名称")),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("made", "新增"),
                            ("changed", "修改"),
                            ("restored", "恢复"),
                            ("deleted", "删除"),
                        ],
                        max_length=8,
                        verbose_name="怎么改的",
                    ),
                ),
                ("field", models.CharField(max_length=30, verbose_name="哪一项")),
                ("before", models.TextField(blank=True, verbose_name="原来的内容")),
                ("after", models.TextField(blank=True, verbose_name="改后的内容")),
                (
                    "at",
                    models.DateTimeField(
                        auto_now_add=True, db_index=True, verbose_name="时间"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁",
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contenttypes.contenttype",
                        verbose_name="类型",
                    ),
                ),
            ],
            options={
                "verbose_name": "文字修改记录",
                "verbose_name_plural": "文字修改记录",
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("person", models.CharField(max_length=24)),
                ("helpful", models.BooleanField(verbose_name="有帮助")),
                (
                    "words",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="搜索的话"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unclear", "看不懂"),
                            ("unsolved", "没解决"),
                            ("outdated", "信息过时"),
                            ("other", "不是我要的"),
                        ],
                        max_length=10,
                        verbose_name="原因",
                    ),
                ),
                (
                    "note",
                    models.CharField(blank=True, max_length=200, verbose_name="补充"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "handled_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="处理时间"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="votes",
                        to="kb.entry",
                    ),
                ),
                (
                    "handled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
            ],
            options={
                "verbose_name": "评价",
                "verbose_name_plural": "评价",
            },
        ),
        migrations.CreateModel(
            name="WidgetRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "pattern",
                    models.CharField(
                        help_text="产品页面的路径，* 代表任意一段，比如 /orders/* 或 */refund。",
                        max_length=200,
                        verbose_name="页面网址",
                    ),
                ),
                (
                    "query",
                    models.CharField(
                        blank=True,
                        help_text="显示搜它的结果。",
                        max_length=200,
                        verbose_name="搜索词",
                    ),
                ),
                (
                    "order",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="小的先看；第一条相符的有效。",
                        verbose_name="次序",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.category",
                        verbose_name="分类",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        help_text="留空对所有站点有效。",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.site",
                        verbose_name="站点",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.tag",
                        verbose_name="标签",
                    ),
                ),
            ],
            options={
                "verbose_name": "小部件规则",
                "verbose_name_plural": "小部件规则",
                "ordering": ["order", "pk"],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        auto_now_add=True, db_index=True, verbose_name="时间"
                    ),
                ),
                ("who", models.CharField(max_length=200, verbose_name="谁")),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("published", "发布"),
                            ("changed", "修改文字"),
                            ("approved", "通过修改"),
                            ("retired", "下线"),
                            ("restored", "恢复"),
                            ("reverted", "恢复旧版"),
                            ("confirmed", "复核"),
                            ("deleted", "删除"),
                            ("answered", "回复"),
                            ("corrected", "更正回复"),
                            ("recalled", "撤回回复"),
                            ("declined", "不回复"),
                            ("reopened", "重新打开"),
                            ("imported", "导入"),
                            ("exported", "导出"),
                            ("erased", "删除个人信息"),
                            ("rights", "权限变更"),
                            ("account", "账号变更"),
                            ("came", "登录"),
                            ("failed", "登录失败"),
                        ],
                        max_length=9,
                        verbose_name="做了什么",
                    ),
                ),
                ("what", models.CharField(max_length=300, verbose_name="对什么")),
                (
                    "address",
                    models.CharField(blank=True, max_length=64, verbose_name="来自"),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="账号",
                    ),
                ),
            ],
            options={
                "verbose_name": "操作记录",
                "verbose_name_plural": "操作记录",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(
                        fields=["act", "-at"], name="kb_auditeve_act_161900_idx"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="kb_category_has_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.UniqueConstraint(
                fields=("parent", "name"),
                name="kb_category_unique_name",
                violation_error_message="同一级下已有同名分类。",
            ),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.UniqueConstraint(
                condition=models.Q(("parent", None)),
                fields=("name",),
                name="kb_category_unique_top_name",
                violation_error_message="顶级分类里已有同名分类。",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorypermission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("group__isnull", False), ("user", None)),
                    models.Q(("group", None), ("user__isnull", False)),
                    _connector="OR",
                ),
                name="kb_categorypermission_of_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorypermission",
            constraint=models.CheckConstraint(
                condition=models.Q(("right__in", ["write", "publish"])),
                name="kb_categorypermission_right_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorypermission",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", False)),
                fields=("user", "category", "right"),
                name="kb_categorypermission_once_a_user",
                violation_error_message="这个范围已经有了。",
            ),
        ),
        migrations.AddConstraint(
            model_name="categorypermission",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group__isnull", False)),
                fields=("group", "category", "right"),
                name="kb_categorypermission_once_a_group",
                violation_error_message="这个范围已经有了。",
            ),
        ),
        migrations.AddIndex(
            model_name="completion",
            index=models.Index(
                fields=["inside", "letters", "public", "uses", "length", "entry"],
                name="kb_completion_letters",
            ),
        ),
        migrations.AddIndex(
            model_name="completion",
            index=models.Index(
                fields=["inside", "sound", "public", "uses", "length", "entry"],
                name="kb_completion_sound",
            ),
        ),
        migrations.AddIndex(
            model_name="completion",
            index=models.Index(
                fields=["inside", "initials", "public", "uses", "length", "entry"],
                name="kb_completion_initials",
            ),
        ),
        migrations.AddIndex(
            model_name="completion",
            index=models.Index(
                fields=["inside", "-uses", "length", "id"], name="kb_completion_rank"
            ),
        ),
        migrations.AddConstraint(
            model_name="autosave",
            constraint=models.UniqueConstraint(
                fields=("by", "entry"), name="kb_autosave_one_an_entry"
            ),
        ),
        migrations.AddConstraint(
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(("title", ""), _negated=True),
                name="kb_announcement_has_title",
            ),
        ),
        migrations.AddConstraint(
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(("audience__in", ["public", "staff"])),
                name="kb_announcement_audience_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="kb_announcement_ends_after_start",
                violation_error_message="结束时间必须晚于开始时间。",
            ),
        ),
        migrations.AddConstraint(
            model_name="entrymerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("entry", models.F("other")), _negated=True),
                name="kb_entrymerge_not_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="entryrevision",
            constraint=models.UniqueConstraint(
                fields=("entry", "version"), name="kb_entryrevision_once_a_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="favorite",
            constraint=models.UniqueConstraint(
                fields=("user", "entry"), name="kb_favorite_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="followup",
            constraint=models.CheckConstraint(
                condition=models.Q(("entry", models.F("then")), _negated=True),
                name="kb_followup_not_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="followup",
            constraint=models.UniqueConstraint(
                fields=("entry", "then"),
                name="kb_followup_unique",
                violation_error_message="这个条目已经是后续问题了。",
            ),
        ),
        migrations.AddConstraint(
            model_name="inquiryattachment",
            constraint=models.UniqueConstraint(
                fields=("inquiry", "place"), name="kb_inquiryattachment_unique_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="module",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="kb_module_has_name",
            ),
        ),
        migrations.AddIndex(
            model_name="pageview",
            index=models.Index(
                fields=["day", "entry"], name="kb_pageview_day_4694ce_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="pageview",
            constraint=models.UniqueConstraint(
                fields=("entry", "day"), name="kb_pageview_once_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="pick",
            constraint=models.UniqueConstraint(
                fields=("entry", "side", "words_key", "person"), name="kb_pick_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="picture",
            constraint=models.CheckConstraint(
                condition=models.Q(("alt", ""), _negated=True),
                name="kb_picture_has_alt",
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                fields=["status", "asked_at"], name="kb_question_status_9919a4_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                fields=["answered_by", "-answered_at"],
                name="kb_question_answere_732a1f_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True),
                name="kb_question_has_text",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["open", "declined"]),
                    models.Q(("answer", ""), _negated=True),
                    _connector="OR",
                ),
                name="kb_question_answered_has_answer",
                violation_error_message="没有回答的问题只能是待回答。",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", False), ("status", "settled")),
                    models.Q(
                        models.Q(("status", "settled"), _negated=True),
                        ("entry__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="kb_question_settled_has_entry",
                violation_error_message="已收录的问题必须指明条目，其他问题不能有条目。",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "declined"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="kb_question_declined_has_reason",
                violation_error_message="不收录要写明原因。",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("source", "external_id"),
                name="kb_question_unique_external_id",
                violation_error_message="这个来源里已有相同外部编号的问题。",
            ),
        ),
        migrations.AddIndex(
            model_name="practiceattempt",
            index=models.Index(
                fields=["user", "question", "-at"],
                name="kb_practice_user_id_5fb054_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="phrasing",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True),
                name="kb_phrasing_has_text",
            ),
        ),
        migrations.AddConstraint(
            model_name="phrasing",
            constraint=models.UniqueConstraint(
                fields=("entry", "text_key"),
                name="kb_phrasing_unique",
                violation_error_message="这条目里已有这个问法。",
            ),
        ),
        migrations.AddIndex(
            model_name="answerversion",
            index=models.Index(
                fields=["by", "-at"], name="kb_answerve_by_id_9ab6fb_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="answerversion",
            index=models.Index(
                fields=["mailed_at", "mail_after"],
                name="kb_answerve_mailed__073903_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="answerversion",
            constraint=models.UniqueConstraint(
                fields=("question", "number"), name="kb_answerversion_unique_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="answerdraft",
            constraint=models.UniqueConstraint(
                fields=("question", "by"), name="kb_answerdraft_one_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="relevancetest",
            constraint=models.CheckConstraint(
                condition=models.Q(("words", ""), _negated=True),
                name="kb_relevancetest_has_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="relevancetest",
            constraint=models.UniqueConstraint(
                fields=("words", "side", "entry"),
                name="kb_relevancetest_once",
                violation_error_message="已经有同样的一条。",
            ),
        ),
        migrations.AddConstraint(
            model_name="relevancetest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("entry", None)),
                fields=("words", "side"),
                name="kb_relevancetest_nothing_once",
                violation_error_message="已经有同样的一条。",
            ),
        ),
        migrations.AddConstraint(
            model_name="relevancetestrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cause", "change")),
                fields=("stamp",),
                name="kb_relevancetestrun_once_a_change",
            ),
        ),
        migrations.AddIndex(
            model_name="copyevent",
            index=models.Index(
                fields=["by", "-at"], name="kb_copyeven_by_id_ca76bc_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="copyevent",
            index=models.Index(
                fields=["entry", "-at"], name="kb_copyeven_entry_i_3332f3_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="copyevent",
            index=models.Index(
                condition=models.Q(("conversation", ""), _negated=True),
                fields=["conversation", "at"],
                name="kb_copyevent_conversation",
            ),
        ),
        migrations.AddIndex(
            model_name="replyfeedback",
            index=models.Index(
                fields=["state", "at"], name="kb_replyfee_state_20ce6a_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="replyfeedback",
            index=models.Index(
                fields=["by", "-at"], name="kb_replyfee_by_id_59d0a7_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="replyfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__in", ["wrong", "stale", "tone", "other"])),
                name="kb_replyfeedback_reason_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="replyfeedback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("done_at", None), ("state", "open")),
                    models.Q(
                        ("done_at__isnull", False),
                        ("state", "done"),
                        models.Q(("answer", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="kb_replyfeedback_done_has_answer",
                violation_error_message="处理完要写一句答复。",
            ),
        ),
        migrations.AddConstraint(
            model_name="replyproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting")),
                fields=("reply",),
                name="kb_replyproposal_waits_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="replyproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "returned"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="kb_replyproposal_returned_says_why",
            ),
        ),
        migrations.AddIndex(
            model_name="replyrevision",
            index=models.Index(
                fields=["reply", "replaced_at"], name="kb_replyrev_reply_i_785313_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(
                fields=["state", "at"], name="kb_review_state_3b27b2_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting")),
                fields=("entry",),
                name="kb_review_waits_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["waiting", "approved", "returned", "withdrawn"])
                ),
                name="kb_review_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(
                fields=("words_key", "side", "entry"), name="kb_evidence_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewcomment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True),
                name="kb_comment_has_text",
            ),
        ),
        migrations.AddIndex(
            model_name="search",
            index=models.Index(
                fields=["words_key", "side", "-created_at"],
                name="kb_search_words_k_165978_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="search",
            constraint=models.CheckConstraint(
                condition=models.Q(("side", "staff"), ("by", None), _connector="OR"),
                name="kb_search_public_has_no_user",
            ),
        ),
        migrations.AddIndex(
            model_name="searchgap",
            index=models.Index(
                fields=["status", "side", "-misses"],
                name="kb_searchga_status_59eb01_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="searchgap",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "declined"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="kb_searchgap_declined_has_reason",
                violation_error_message="请写明为什么不归我们。",
            ),
        ),
        migrations.AddConstraint(
            model_name="searchgapspelling",
            constraint=models.UniqueConstraint(
                fields=("side", "words_key"), name="kb_searchgapspelling_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("name", ""), _negated=True), ("host", ""), _connector="OR"
                ),
                name="kb_site_has_name",
                violation_error_message="有域名的站点要有名称。",
            ),
        ),
        migrations.AddConstraint(
            model_name="inquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("score", None),
                    models.Q(("score__gte", 1), ("score__lte", 5)),
                    _connector="OR",
                ),
                name="kb_inquiry_score_known",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                fields=["-updated_at", "status", "audience"],
                name="kb_entry_updated_097fd0_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_until", None),
                    ("valid_from__lt", models.F("valid_until")),
                    _connector="OR",
                ),
                name="kb_entry_valid_in_order",
                violation_error_message="失效时间要在生效时间之后。",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("question", ""), _negated=True),
                name="kb_entry_has_question",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "review", "published", "retired"])
                ),
                name="kb_entry_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("audience__in", ["public", "internal"])),
                name="kb_entry_audience_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answer", ""),
                    ("audience", "public"),
                    ("status", "published"),
                    _negated=True,
                ),
                name="kb_entry_public_has_answer",
                violation_error_message="公开发布的条目必须有 FAQ 答案。",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("source", "external_id"),
                name="kb_entry_unique_external_id",
                violation_error_message="这个来源里已有相同外部编号的条目。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(("body", ""), _negated=True),
                name="kb_reply_has_body",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(("owner", None), ("team", None), _connector="OR"),
                name="kb_reply_is_of_one_kind",
                violation_error_message="话术要么是个人的，要么是团队的。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", False), ("owner", None), ("team", None)),
                    models.Q(
                        models.Q(("title", ""), _negated=True),
                        models.Q(("owner", None), ("team", None), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="kb_reply_has_place",
                violation_error_message="共用的话术要属于一个条目，其他的要有标题。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tone__in", ["standard", "short", "soothing", "formal"])
                ),
                name="kb_reply_tone_known",
            ),
        ),
        migrations.AddIndex(
            model_name="textrevision",
            index=models.Index(
                fields=["content_type", "object_id", "-at"],
                name="kb_textrevi_content_f9a448_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="vote",
            index=models.Index(
                condition=models.Q(("handled_at", None), ("helpful", False)),
                fields=["entry"],
                name="kb_vote_open_complaints",
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.UniqueConstraint(
                fields=("entry", "person"), name="kb_vote_one_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("helpful", False),
                    models.Q(("note", ""), ("reason", "")),
                    _connector="OR",
                ),
                name="kb_vote_helpful_has_no_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="widgetrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("pattern", ""), _negated=True),
                name="kb_widgetrule_has_pattern",
            ),
        ),
        migrations.AddConstraint(
            model_name="widgetrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("category__isnull", False),
                    ("tag__isnull", False),
                    models.Q(("query", ""), _negated=True),
                    _connector="OR",
                ),
                name="kb_widgetrule_has_effect",
                violation_error_message="分类、标签、搜索词至少填一个。",
            ),
        ),
    ]
