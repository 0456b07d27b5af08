"""Makes distributions.csv: distribution functions to 40 digits, Student's t at fractional df to 50. Needs mpmath 1.4.1; runs for some
minutes."""
import csv
import os

import mpmath as mp

mp.mp.dps=40
def f(x): return repr(float(x))
rows=[]
def add(dist,fun,arg,p1,p2,val,call):
    if dist=='poisson' and fun=='cdf' and val<M(10)**-40: return  # 60 digits do not reach so small a complement
    rows.append([dist,fun,f(arg),f(p1) if p1 is not None else '',f(p2) if p2 is not None else '',f(val),f'mpmath 1.4.1, {mp.mp.dps} digits',call])
M=mp.mpf
def ncdf(z): return mp.erfc(-M(z)/mp.sqrt(2))/2
for z in [-37.,-8.,-3.,-1.,-1e-8,0.3,1.,2.,5.,8.]:
    add('normal','cdf',z,None,None,ncdf(z),'erfc(-x/sqrt(2))/2'); add('normal','sf',z,None,None,ncdf(-z),'erfc(x/sqrt(2))/2')
for p in [1e-300,1e-20,1e-10,0.001,0.025,0.1,0.4999,0.6,0.75,0.95,0.975,0.995,0.999]:
    pm=M(p); 
    z=mp.findroot(lambda t: mp.log(ncdf(t))-mp.log(pm), mp.sqrt(2)*mp.erfinv(2*pm-1) if p>1e-15 else -mp.sqrt(-2*mp.log(pm))*M('0.97'),tol=1e-35,maxsteps=200) 
    add('normal','quantile',p,None,None,z,'root of cdf(x) = argument')
def gP(a,x):
    a=M(a);x=M(x); s=M(1);t=M(1);n=0
    while t>s*M(10)**-(mp.mp.dps+5):
        n+=1; t*=x/(a+n); s+=t
    return mp.exp(a*mp.log(x)-x-mp.loggamma(a+1))*s
def gQ(a,x):
    mp.mp.dps=60
    r=1-gP(a,x)
    mp.mp.dps=40
    return r
def chi_cdf(x,k): return gP(M(k)/2,M(x)/2)
def chi_sf(x,k): return gQ(M(k)/2,M(x)/2)
for k in [1,2,3,10,60,500.,1e4]:
    for s in [-3,-.5,1,6]:
        x=max(k+s*(2*k)**.5, k*.01)
        add('chi_squared','cdf',x,k,None,chi_cdf(x,k),'power series of gammainc(k/2, 0, x/2)')
        add('chi_squared','sf',x,k,None,chi_sf(x,k),'1 - power series of gammainc(k/2, 0, x/2), 60 digits')
def logroot(F,Sf,p,lo,hi):
    # bisection then secant on the log of the nearer tail
    pm=M(p)
    g=(lambda t: mp.log(F(t))-mp.log(pm)) if p<=0.5 else (lambda t: -(mp.log(Sf(t))-mp.log(1-pm)))
    lo,hi=M(lo),M(hi)
    for _ in range(40):
        m=(lo+hi)/2
        if g(m)>0: hi=m
        else: lo=m
    return mp.findroot(g,(lo,hi),solver='illinois',tol=1e-35,maxsteps=25,verify=False)
for k in [1,2,2.5,3,10,20,60,500.,2000.,1e5]:
    for p in [1e-6,0.001,0.025,0.5,0.95,0.975,0.999]:
        c=M(k)*(1-M(2)/(9*M(k)))**3; hi=k+8*(2*k)**.5+80; 
        x=logroot(lambda t:chi_cdf(t,k),lambda t:chi_sf(t,k),p,M(10)**-40 if k<30 else max(M(10)**-8,M(k)-8*mp.sqrt(2*M(k))),hi)
        add('chi_squared','quantile',p,k,None,x,'root of cdf(x) = argument')
def bI(a,b,x):
    a=M(a);b=M(b);x=M(x);y=1-x
    if x>(a+1)/(a+b+2): return 1-bI(b,a,y)
    s=M(1);t=M(1);n=0
    while t>s*M(10)**-(mp.mp.dps+5):
        t*=(a+b+n)/(a+1+n)*x; s+=t; n+=1
    return mp.exp(a*mp.log(x)+b*mp.log(y)-(mp.loggamma(a)+mp.loggamma(b)-mp.loggamma(a+b)))/a*s
def tsf2(t,nu):
    nu=M(nu);t=M(t); y=t*t/(nu+t*t); x=nu/(nu+t*t)
    if nu<10: return bI(nu/2,M(1)/2,x)/2
    # I_x(nu/2,1/2) = 1 - I_y(1/2,nu/2); I_y(a,b)=y^a x^b/(a B(a,b)) * 2F1(a+b,1;a+1;y)
    a=M(1)/2;b=nu/2
    s=mp.mpf(1);term=mp.mpf(1);n=0
    while abs(term)>abs(s)*M(10)**-(mp.mp.dps+5):
        term*= (a+b+n)/(a+1+n)*y; s+=term; n+=1
    lb=mp.loggamma(a)+mp.loggamma(b)-mp.loggamma(a+b)
    I=mp.exp(a*mp.log(y)+b*mp.log(x)-lb)/a*s
    return (1-I)/2
for nu in [1,2,3,10,29,100,1e5,1e8,1.5,2.7,13.37,250.5,100000.5]:
    mp.mp.dps=40 if nu==int(nu) else 50
    for t in [0.01,1.,1.96,3.29,6.]:
        add('student_t','sf',t,nu,None,tsf2(t,nu),'(1 - I_y(1/2, df/2))/2, y = x^2/(df + x^2), own series')
    for p in [0.6,0.75,0.9,0.95,0.975,0.995,0.999]:
        pm=1-M(p)
        lo,hi=M('1e-6'),M(700 if nu<10 else 10)
        for _ in range(50):
            m=(lo+hi)/2
            if tsf2(m,nu)>pm: lo=m
            else: hi=m
        x=mp.findroot(lambda t: mp.log(tsf2(t,nu))-mp.log(pm),(lo,hi),solver='illinois',tol=1e-35,maxsteps=25,verify=False)
        add('student_t','quantile',p,nu,None,x,'root of 1 - sf(x) = argument')
mp.mp.dps=40
for (a,b) in [(0.5,0.5),(1,1),(2,5),(0.5,20.5),(30,2),(100,900),(500,500.)]:
    for x in [0.001,0.1,0.5,0.9,0.999]:
        v=bI(M(a),M(b),M(x)); w=bI(M(b),M(a),1-M(x))
        add('beta','cdf',x,a,b,v,'power series of I_x(a, b)')
    for p in [0.005,0.025,0.5,0.975,0.995]:
        q=logroot(lambda t:bI(M(a),M(b),t),lambda t:bI(M(b),M(a),1-t),p,M(10)**-30,1-M(10)**-30)
        add('beta','quantile',p,a,b,q,'root of cdf(x) = argument')
def fs(x,a,b): 
    x=M(x);a=M(a);b=M(b); return bI(b/2,a/2,b/(a*x+b))
for (a,b) in [(1,1),(3,10),(173,865),(19,313),(10,1e4)]:
    for x in [0.2,1.,2.5,8.]: add('f','sf',x,a,b,fs(x,a,b),'power series of I_y(b/2, a/2), y = b/(a*x + b)')
    for p in [0.025,0.5,0.975]:
        q=logroot(lambda t:1-fs(t,a,b),lambda t:fs(t,a,b),p,M(10)**-8,2000)
        add('f','quantile',p,a,b,q,'root of cdf(x) = argument')
for a in [0.3,1,10.5,1000]:
    for x in [0.1,0.9,1.4]:
        add('gamma','cdf',a*x,a,None,gP(M(a),M(a*x)),'power series of gammainc(a, 0, x)')
        add('gamma','sf',a*x,a,None,gQ(M(a),M(a*x)),'1 - power series of gammainc(a, 0, x), 60 digits')
for m in [0.1,3,50.5,1e4]:
    for k in [0,int(m),int(m+4*m**.5)]:
        add('poisson','cdf',k,m,None,gQ(M(k+1),M(m)),'1 - power series of gammainc(k+1, 0, m), 60 digits')
        add('poisson','sf',k,m,None,gP(M(k+1),M(m)),'power series of gammainc(k+1, 0, m)')
        add('poisson','pmf',k,m,None,mp.exp(k*mp.log(M(m))-M(m)-mp.loggamma(k+1)),'exp(k*log(m) - m - loggamma(k+1))')
for (n,p) in [(1,.3),(20,.5),(1000,.01),(10000,.37)]:
    for k in sorted({0,int(n*p),min(n-1,int(n*p+4*(n*p*(1-p))**.5))}):
        pm=M(p); terms=[mp.binomial(n,i)*pm**i*(1-pm)**(n-i) for i in range(0,k+1)]
        c=mp.fsum(terms)
        add('binomial','cdf',k,n,p,c,'sum of binomial terms'); add('binomial','sf',k,n,p,1-c,'1 - sum of binomial terms'); add('binomial','pmf',k,n,p,terms[-1],'binomial(n, k)*p**k*(1-p)**(n-k)')
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),'distributions.csv'),'w',newline='') as o:
    w=csv.writer(o,lineterminator='\n'); w.writerow(['distribution','function','argument','parameter1','parameter2','value','source','call']); w.writerows(rows)
