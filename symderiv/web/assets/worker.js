var l="pyodide/",o="/lib/symderiv-archives",u=`
import json, sys
sys.dont_write_bytecode = True
sys.setrecursionlimit(1500)
sys.path[:0] = ["${o}/own", "${o}/lib.zip"]
from symderiv.web.answers import answer
def answered(text):
    try:
        return json.dumps(answer(json.loads(text)))
    except Exception as err:
        said = {"kind": "Defect", "message": f"unexpected {type(err).__name__}: {err}", "hint": "please report it", "shapes": {}, "place": None}
        return json.dumps({"ok": False, "error": said})
`;function i(s,e,t){postMessage({progress:{part:s,done:e,all:t}})}var y=class{constructor(e){this.all=e}all;done=0;add(e,t){this.done=Math.min(this.all,this.done+e),i(t,this.done,this.all)}async file(e,t){let r=await fetch(l+e);if(!r.ok||!r.body)throw new Error(`${e}: ${r.status}`);let a=[],d=r.body.getReader();for(;;){let{done:n,value:c}=await d.read();if(n)break;a.push(c),this.add(c.length,t)}return new Blob(a).arrayBuffer()}};async function w(){let s=await(await fetch(`${l}sizes.json`)).json(),e=p=>s[l+p]??0,t=e("pyodide.asm.wasm")+e("python_stdlib.zip")+e("pyodide.asm.mjs"),r=new y(t+e("lib.zip")+e("own.zip"));i("Python",0,1);let{loadPyodide:a}=await import("./pyodide/pyodide.mjs"),d=new URL(l,self.location.href).href,[n,c,m]=await Promise.all([a({indexURL:d,packageBaseUrl:d}).then(p=>(r.add(t,"Python"),p)),r.file("lib.zip","SymPy"),r.file("own.zip","symderiv")]);return i("symderiv",1,1),n.runPython(`import os; os.makedirs("${o}/own")`),n.FS.writeFile(`${o}/lib.zip`,new Uint8Array(c)),n.unpackArchive(m,"zip",{extractDir:`${o}/own`}),n.runPython(u),n}var h=w();h.then(()=>{i("ready",1,1),postMessage({ready:!0})},s=>{console.error(s),i("failed",0,0)});self.onmessage=async({data:s})=>{let e=await h;postMessage({answer:JSON.parse(e.globals.get("answered")(JSON.stringify(s)))})};
