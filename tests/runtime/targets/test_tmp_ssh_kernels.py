import time
from pathlib import Path
from edgekit.search.kernels.fit import fit_kernels
from runtime.choose.fitting.kernels.predict import predict
from runtime.bundle import Bundle
from runtime.targets import open_target
def test_it(phone):
    t0=time.time()
    b,fit=fit_kernels(Path('/tmp/kssh.edgekit'),'ssh:phone',most=200,rounds=2,on_step=lambda s:print(round(time.time()-t0),s,flush=True),on_message=lambda s:print('MSG',s,flush=True))
    print(fit.n_kernels,fit.n_graphs,fit.setting,fit.graph_error_pct,fit.within_10pct_pct,fit.spread,fit.left_out, fit.kind_names)
    z=Bundle.open(Path('/tmp/kz7/zoo.edgekit'))
    for n in ('mobilenet_v2-0.5-224','resnet20-1-32','resnet56-1-32','mobilenet_v2-1-128'):
        try: p=predict(z,Path('/tmp/kssh.edgekit'),'ssh:phone',n)
        except Exception as e: print(n,'REFUSED',e); continue
        with open_target('ssh:phone') as t:
            ms=[]
            for _ in range(3):
                with t.session(z,z.manifest.variant(n),fit.setting) as s: ms.append(min(s.sample(warmup=5,runs=40).samples_ms))
        print(n,'predicted %.3f (%.3f to %.3f) measured %.3f off %+.1f%%'%(p.latency_ms,p.low_ms,p.high_ms,min(ms),100*(p.latency_ms/min(ms)-1)),flush=True)
